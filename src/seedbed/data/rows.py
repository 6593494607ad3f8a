"""Rows: the raw inputs of one source file, held once and handed out by index."""

import abc
import hashlib
import json
import math
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import ClassVar, final

import torch
from jaxtyping import Float, Float64, Int32, Int64, UInt8
from torch import Tensor

from seedbed.shapes import Indices, Pixels

Raw = UInt8[Tensor, "batch *feature"] | Float[Tensor, "batch *feature"] | Int32[Tensor, "batch field"]
Columns = Float[Tensor, "example column"]
# Sum and sum of squares of the pixels of each channel of each image: whole numbers, so exact.
Moments = Int64[Tensor, "example channel 2"]
Statistic = Float64[Tensor, "..."]
Chunk = Int64[Tensor, "_"]  # indices; chunks of one pass differ in length


class Rows(abc.ABC):
    """Raw inputs by index; where they lie (memory, device, files) changes no value.

    Args:
        shape: axes of one example: (channel, height, width) or (column,).
    """

    in_memory: ClassVar[bool] = True
    """Whether all rows can be had at once."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = shape

    @abc.abstractmethod
    def __len__(self) -> int:
        """Number of examples."""

    @abc.abstractmethod
    def batches(self, chunks: Sequence[Chunk]) -> Iterator[Raw]:
        """The rows of each chunk of indices, chunk by chunk."""

    @abc.abstractmethod
    def mean_and_sd(self, indices: Indices) -> tuple[Statistic, Statistic]:
        """Mean and population standard deviation a channel or column, in raw units.

        Args:
            indices: the examples that count.

        Returns:
            Two float64 tensors that broadcast against one example; a constant column has sd 0.
        """

    @property
    @abc.abstractmethod
    def digest(self) -> str:
        """SHA-256 of shape, type and every value, in file order."""

    @abc.abstractmethod
    def to(self, device: torch.device) -> "Rows":
        """The same rows, giving out batches on `device`."""


@final
class Table(Rows):
    """Rows of numbers, in memory."""

    def __init__(self, values: Columns) -> None:
        super().__init__(tuple(values.shape[1:]))
        self.values = values

    def __len__(self) -> int:
        return len(self.values)

    def batches(self, chunks: Sequence[Chunk]) -> Iterator[Raw]:
        return (self.values.index_select(0, chunk) for chunk in chunks)

    def mean_and_sd(self, indices: Indices) -> tuple[Statistic, Statistic]:
        chosen = self.values.index_select(0, indices).to(torch.float64)
        # Rounding can leave 1e-17 for a constant column, which dividing would blow up to about 1.
        varies = chosen.amax(0) > chosen.amin(0)
        return chosen.mean(0), chosen.std(0, correction=0) * varies

    @cached_property
    def digest(self) -> str:
        return _digest(self.values)

    def to(self, device: torch.device) -> "Table":
        return Table(self.values.to(device))


@final
class Images(Rows):
    """Images as one uint8 tensor in memory."""

    def __init__(self, pixels: Pixels) -> None:
        super().__init__(tuple(pixels.shape[1:]))
        self.pixels = pixels

    def __len__(self) -> int:
        return len(self.pixels)

    def batches(self, chunks: Sequence[Chunk]) -> Iterator[Raw]:
        return (self.pixels.index_select(0, chunk) for chunk in chunks)

    def mean_and_sd(self, indices: Indices) -> tuple[Statistic, Statistic]:
        return channel_statistics(self._moments, indices, self.shape)

    @cached_property
    def _moments(self) -> Moments:
        return moments(self.pixels)

    @cached_property
    def digest(self) -> str:
        return _digest(self.pixels)

    def to(self, device: torch.device) -> "Images":
        return Images(self.pixels.to(device))


def chunk_size(shape: tuple[int, ...]) -> int:
    """Examples handled at once where no optimiser step sets the number: 4 Mi values, 4096 at most."""
    return max(1, min(4096, 2**22 // math.prod(shape)))


def moments(pixels: Pixels) -> Moments:
    """Sum and sum of squares of each channel of each image, exact: doubles hold such whole numbers."""
    few = max(1, 2**18 // math.prod(pixels.shape[1:]))  # 2 MiB of doubles stay in a processor's cache
    parts = []
    for part in torch.split(pixels.flatten(2), few):
        wide = part.to(torch.float64)
        parts.append(torch.stack((wide.sum(-1), (wide * wide).sum(-1)), dim=-1).to(torch.int64))
    return torch.cat(parts)


def channel_statistics(
    image_moments: Moments, indices: Indices, shape: tuple[int, ...]
) -> tuple[Statistic, Statistic]:
    """Mean and population sd of each channel over the chosen images, as (channel, 1, 1).

    The sums are whole numbers and the variance is formed from them before anything is rounded, so
    the figures do not depend on the order of the images nor on how they were read.
    """
    sums = image_moments.index_select(0, indices).sum(0).tolist()
    count = len(indices) * shape[1] * shape[2]
    means = [first / count for first, _ in sums]
    sds = [((count * second - first * first) / count**2) ** 0.5 for first, second in sums]
    broadcast = (shape[0], 1, 1)
    return (
        torch.tensor(means, dtype=torch.float64).reshape(broadcast),
        torch.tensor(sds, dtype=torch.float64).reshape(broadcast),
    )


def start_digest(num_examples: int, shape: tuple[int, ...], dtype: torch.dtype) -> "hashlib._Hash":
    """A running SHA-256 that has seen the shape and type and waits for the values in file order."""
    return hashlib.sha256(json.dumps([num_examples, *shape, str(dtype)]).encode())


def _digest(values: Raw) -> str:
    running = start_digest(len(values), tuple(values.shape[1:]), values.dtype)
    running.update(values.cpu().contiguous().numpy().reshape(-1).data)
    return running.hexdigest()
