"""The multilayer perceptron."""

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import final

from torch import Tensor, nn
from torch.nn import functional

from seedbed.errors import ConfigError
from seedbed.model.dropout import Dropout
from seedbed.model.likelihood import Categorical
from seedbed.model.network import Network, check_positive
from seedbed.shapes import Inputs, Keys, Logits

ACTIVATIONS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "relu": functional.relu,
    "tanh": functional.tanh,
    "gelu": functional.gelu,
    "sigmoid": functional.sigmoid,
}


@final
class Mlp(Network):
    """Fully connected layers, an activation after each but the last, with a softmax head.

    Args:
        input_shape: axes of one example, flattened.
        num_classes: classes of the data.
        hidden_features: width of each hidden layer, first to last.
        activation: relu, tanh, gelu or sigmoid.
        dropout: probability that a hidden unit is silenced while training, in [0, 1).

    Raises:
        ConfigError: for an unknown activation, or a width or probability out of range.

    Example:
        >>> lecture = Mlp(
        ...     input_shape=(3,), num_classes=2, hidden_features=[4], activation="sigmoid", dropout=0.0
        ... )
        >>> sum(parameter.numel() for parameter in lecture.parameters())
        26
    """

    likelihood = Categorical()

    def __init__(
        self,
        *,
        input_shape: Sequence[int],
        num_classes: int,
        hidden_features: Sequence[int],
        activation: str,
        dropout: float,
    ) -> None:
        super().__init__(input_shape=input_shape, num_classes=num_classes)
        check_positive("hidden_features", hidden_features)
        self.activation = _activation(activation)
        widths = [math.prod(input_shape), *hidden_features]
        self.hidden = nn.ModuleList(nn.Linear(before, after) for before, after in pairwise(widths))
        self.dropout = nn.ModuleList(Dropout(dropout, layer) for layer in range(len(hidden_features)))
        self.output = nn.Linear(widths[-1], self.num_logits)

    def forward(self, inputs: Inputs, keys: Keys | None = None) -> Logits:
        units = inputs.flatten(1)
        for linear, dropout in zip(self.hidden, self.dropout, strict=True):
            units = dropout(self.activation(linear(units)), keys)
        logits: Logits = self.output(units)
        return logits


def _activation(name: str) -> Callable[[Tensor], Tensor]:
    if name not in ACTIVATIONS:
        raise ConfigError(
            "model.activation",
            expected="one of " + ", ".join(ACTIVATIONS),
            got=repr(name),
            do="Choose one of them.",
        )
    return ACTIVATIONS[name]
