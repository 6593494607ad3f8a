"""Linear models: logits are W x + b; only the likelihood tells the three apart.

With a penalty on the mean loss, or classes that overlap, each has one optimum that any optimiser
must find; `separability` says whether an unpenalised one has.
"""

import math
from collections.abc import Sequence
from typing import final

from torch import nn

from seedbed.model import likelihood as meaning
from seedbed.model.network import Network
from seedbed.shapes import Inputs, Keys, Logits


class Linear(Network):
    """Logits that are linear in the inputs, an image being the row of its pixels."""

    def __init__(self, *, input_shape: Sequence[int], num_classes: int) -> None:
        super().__init__(input_shape=input_shape, num_classes=num_classes)
        self.linear = nn.Linear(math.prod(input_shape), self.num_logits)

    def forward(self, inputs: Inputs, keys: Keys | None = None) -> Logits:  # noqa: ARG002 (no units)
        logits: Logits = self.linear(inputs.flatten(1))
        return logits


@final
class Logistic(Linear):
    """Logistic regression for two classes: one logit, the log odds of class 1.

    Raises:
        ConfigError: for data of more classes.

    Source: Cox (1958), "The regression analysis of binary sequences".
    """

    likelihood = meaning.Bernoulli()


@final
class Softmax(Linear):
    """Multinomial logistic regression: a logit a class."""

    likelihood = meaning.Categorical()


@final
class OneVsRest(Linear):
    """A logistic regression a class, each against all others; the largest logit is the prediction."""

    likelihood = meaning.OneVsRest()
