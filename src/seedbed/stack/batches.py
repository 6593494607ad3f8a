"""The members' batches side by side."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Int64
from torch import Tensor

from seedbed.data.loader import Loader
from seedbed.shapes import Batch
from seedbed.stack.loss import Labels
from seedbed.stack.network import Inputs

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
        self._room: list[Tensor] = []

    def __iter__(self) -> Iterator[Round]:
        while True:
            try:
                yield _shared(next(self._passes[0])) if self._shares else self._own()
            except StopIteration:
                return

    def _own(self) -> Round:
        """Into the same memory each time: new memory for so many inputs costs more than a copy."""
        inputs, labels, indices, count = [], [], [], 0
        for place, batches in enumerate(self._passes):
            raw, truth, places, count = next(batches)
            flat = raw.flatten(1)
            if place == len(self._room):
                self._room.append(torch.empty_like(flat))
            inputs.append(self._room[place][: len(flat)].copy_(flat))
            labels.append(truth)
            indices.append(places)
        # A GPU wants few large products; the axes' order is one of names only.
        given = torch.stack(inputs).transpose(0, 1) if inputs[0].is_cuda else inputs
        return Round(given, torch.stack(labels, dim=1), torch.stack(indices, dim=1), count)

    def keep(self, places: Sequence[int]) -> None:
        """Goes on with the members at these places."""
        if not self._shares:
            self._passes = [self._passes[place] for place in places]


def _shared(batch: Batch) -> Round:
    inputs, labels, indices, num_examples = batch
    return Round(inputs.flatten(1), labels[:, None], indices[:, None], num_examples)
