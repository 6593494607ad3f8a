"""The members' batches side by side."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Int64
from torch import Tensor

from seedbed.data.loader import Loader
from seedbed.shapes import Batch
from seedbed.stack.network import Inputs

Labels = Int64[Tensor, "batch #member"]
Indices = Int64[Tensor, "batch #member"]


class Round(NamedTuple):
    """One batch of every member; where all see the same examples, there is one of them.

    Args:
        inputs: [batch, feature] where they are shared, else each member's; on a GPU beside each other.
        labels: the true classes.
        indices: places of the examples in their source file.
        num_examples: of each member's batch.
    """

    inputs: Inputs
    labels: Labels
    indices: Indices
    num_examples: int


class Rounds:
    """A pass over the loaders of some members.

    Args:
        loaders: of the members.
        shares: whether all would give the same.
    """

    def __init__(self, loaders: Sequence[Loader], *, shares: bool) -> None:
        self._passes = [iter(loader) for loader in (loaders[:1] if shares else loaders)]
        self._shares = shares

    def __iter__(self) -> Iterator[Round]:
        while True:
            try:
                batches = [next(batches) for batches in self._passes]
            except StopIteration:
                return
            yield _shared(batches[0]) if self._shares else _beside(batches)

    def keep(self, places: Sequence[int]) -> None:
        """Goes on with the members at these places."""
        if not self._shares:
            self._passes = [self._passes[place] for place in places]


def _shared(batch: Batch) -> Round:
    inputs, labels, indices, num_examples = batch
    return Round(inputs.flatten(1), labels[:, None], indices[:, None], num_examples)


def _beside(batches: Sequence[Batch]) -> Round:
    labels = torch.stack([batch.labels for batch in batches], dim=1)
    indices = torch.stack([batch.indices for batch in batches], dim=1)
    own = [batch.inputs.flatten(1) for batch in batches]
    # A GPU wants few large products; the axes' order is one of names only.
    inputs = torch.stack(own).transpose(0, 1) if labels.is_cuda else own
    return Round(inputs, labels, indices, batches[0].num_examples)
