"""Loader: batches by slicing an order of indices; order and shards are pure functions."""

import math
from collections.abc import Iterator
from typing import NamedTuple, final

import torch
from torch import nn

from seedbed import streams
from seedbed.data.augmentation import Augmentation
from seedbed.data.rows import Chunk
from seedbed.data.source import Part
from seedbed.errors import ConfigError
from seedbed.shapes import Batch, Indices


class Shard(NamedTuple):
    """This process among those that share each batch: 0 <= rank < world_size."""

    rank: int
    world_size: int


@final
class Order:
    """The order in which a split is read: shuffled anew each epoch, or as it lies.

    Args:
        indices: the split, as places in its source file.
        stream: seed of the order stream; None: as it lies, in every epoch.
    """

    def __init__(self, indices: Indices, stream: int | None) -> None:
        self._indices, self._stream, self.epoch = indices, stream, 0

    def __len__(self) -> int:
        return len(self._indices)

    def set_epoch(self, epoch: int) -> None:
        """Chooses the epoch, 0 or more; Lightning calls this before each one."""
        self.epoch = epoch

    def indices(self) -> Indices:
        """The whole epoch, in order."""
        if self._stream is None:
            return self._indices
        places = streams.permutation(self._stream, self.epoch, len(self._indices))
        return self._indices.index_select(0, places.to(self._indices.device))


@final
class Loader:
    """Batches of one split for one process; `len` counts batches over all processes.

    Each global batch is dealt out in turn: process r of w takes its positions r, r + w, ... A process
    whose share of the last batch is empty gets an empty batch, because all must take the same number
    of steps. No example is repeated or left out.

    Args:
        part: the split, held where batches are wanted.
        batch_size: examples a global batch; the last one holds what is left.
        preprocessing: from raw inputs to network inputs.
        order_stream: seed of the order stream in training; None in evaluation, which goes in file order.
        augmentation: applied to raw images before the preprocessing; None: nothing.
        shard: which share of each batch this process gets.
    """

    def __init__(
        self,
        part: Part,
        *,
        batch_size: int,
        preprocessing: nn.Module,
        order_stream: int | None = None,
        augmentation: Augmentation | None = None,
        shard: Shard = Shard(0, 1),  # noqa: B008 - immutable
    ) -> None:
        self.batch_size, self.sampler = batch_size, Order(part.indices, order_stream)
        self.batch_sampler = None  # Lightning asks for it of whatever has a sampler
        self._rows, self._labels = part.rows, part.labels
        self._preprocessing, self._augmentation, self._shard = preprocessing, augmentation, shard
        self._first = 0

    @property
    def num_examples(self) -> int:
        """Examples of the whole split, over all processes."""
        return len(self.sampler)

    def __len__(self) -> int:
        return math.ceil(self.num_examples / self.batch_size)

    def start_at(self, batch: int) -> None:
        """Lets the next pass that is read, and only that one, begin with this batch (0 or more)."""
        assert 0 <= batch <= len(self), f"batch {batch} of {len(self)}"
        self._first = batch

    def __iter__(self) -> Iterator[Batch]:
        # Fixed here, because a generator would look at the epoch only when the first batch is drawn.
        return self._batches(self.sampler.epoch, self._shares())

    def _shares(self) -> list[tuple[Chunk, int]]:
        """This process's part of each batch, and the size of the whole batch."""
        whole = torch.split(self.sampler.indices(), self.batch_size)[self._first :]
        return [(chunk[self._shard.rank :: self._shard.world_size], len(chunk)) for chunk in whole]

    def _batches(self, epoch: int, shares: list[tuple[Chunk, int]]) -> Iterator[Batch]:
        self._first = 0  # not earlier: Lightning begins a pass that it never reads, just to see
        rows = self._rows.batches([share for share, _ in shares])
        for (indices, size), raw in zip(shares, rows, strict=True):
            seen = raw if self._augmentation is None else self._augmentation(raw, epoch, indices)
            yield Batch(self._preprocessing(seen), self._labels.index_select(0, indices), indices, size)


@final
class Passes:
    """A loader whose one batch is a whole pass: what Lightning is given to train with.

    Args:
        loader: whose batches each pass hands out one by one.
    """

    def __init__(self, loader: Loader) -> None:
        self._loader, self.batch_sampler = loader, None

    @property
    def sampler(self) -> Order:
        """Lightning tells it the epoch before each pass."""
        return self._loader.sampler

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[Iterator[Batch]]:
        yield iter(self._loader)


def check_batch_size(batch_size: int | None, num_examples: int | None = None) -> None:
    """Refuses a batch size that is not a number of examples, or larger than the training split.

    Raises:
        ConfigError: saying that null takes all examples.
    """
    if batch_size is not None and batch_size < 1:
        got, expected = batch_size, "1 or more, or null"
    elif batch_size is not None and num_examples is not None and batch_size > num_examples:
        got, expected = batch_size, f"at most the {num_examples} examples of the training split"
    else:
        return
    raise ConfigError(
        "data.batch_size",
        expected=expected,
        got=str(got),
        do="Set data.batch_size=null to take the whole training split in every step.",
    )
