"""Logistic regression over categories: a weight a slot, and the slots of a row summed up."""

from collections.abc import Sequence
from typing import ClassVar, final

import torch
from torch import nn

from seedbed.errors import ConfigError
from seedbed.model.likelihood import Bernoulli
from seedbed.model.network import Network
from seedbed.shapes import Inputs, Keys, Logits

# Codes have 24 bits (`data.codes`), and more slots than there are codes would stay empty.
MOST_SLOTS = 2**24


@final
class HashedLogistic(Network):
    """One logit, the log odds of a click: a bias and the weight of each field's slot.

    A code's lowest bits name its slot, so that two categories may share one. All weights begin at 0,
    where the objective, which is convex, needs no luck.

    Args:
        input_shape: (field,).
        num_classes: 2.
        num_slots: 2^k weights, 0 <= k <= 24.
        sparse_gradient: the gradient names the slots of the batch alone, which a step then touches alone:
            as fast with 2^24 slots as with few. For optimizer=ftrl, adagrad and sgd without momentum.

    Raises:
        ConfigError: for more than two classes, or a number of slots that is no power of two.

    Source: K. Weinberger et al. (2009), "Feature hashing for large scale multitask learning".
    """

    likelihood = Bernoulli()
    takes_codes: ClassVar[bool] = True

    def __init__(
        self, *, input_shape: Sequence[int], num_classes: int, num_slots: int, sparse_gradient: bool
    ) -> None:
        super().__init__(input_shape=input_shape, num_classes=num_classes)
        if not 1 <= num_slots <= MOST_SLOTS or num_slots & (num_slots - 1):
            raise ConfigError(
                "model.num_slots",
                expected=f"a power of two from 1 to {MOST_SLOTS}",
                got=str(num_slots),
                do="262144 (2^18) is 1 MB of weights; two categories then share a slot now and then.",
            )
        self._last_slot = num_slots - 1
        zeros = torch.zeros(num_slots, 1)
        self.slots = nn.Embedding(num_slots, 1, sparse=sparse_gradient, _weight=zeros)
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, inputs: Inputs, keys: Keys | None = None) -> Logits:  # noqa: ARG002 (no units)
        numbers = inputs.flatten(1).long() & self._last_slot
        # Not an embedding bag: its gradient takes longer, and one network cannot be stacked with others.
        logits: Logits = self.slots(numbers).sum(1) + self.bias
        return logits
