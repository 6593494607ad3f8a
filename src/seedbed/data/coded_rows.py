"""Rows of codes, one a field: in memory, or in a file too large for it."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import final

import numpy as np
import torch
from jaxtyping import Int32
from torch import Tensor

from seedbed.data.rows import Chunk, Raw, Rows, Statistic
from seedbed.shapes import Indices

CodeTable = Int32[Tensor, "example field"]


class CodedRows(Rows):
    """Codes by index. They are names, not numbers, and have no mean."""

    def mean_and_sd(self, indices: Indices) -> tuple[Statistic, Statistic]:  # noqa: ARG002
        raise AssertionError("codes are names: `data.standardize` is refused before anything is read")


@final
class HeldCodes(CodedRows):
    """Codes in memory."""

    def __init__(self, codes: CodeTable) -> None:
        super().__init__(tuple(codes.shape[1:]))
        self.codes = codes

    def __len__(self) -> int:
        return len(self.codes)

    def batches(self, chunks: Sequence[Chunk]) -> Iterator[Raw]:
        return (self.codes.index_select(0, chunk) for chunk in chunks)

    @cached_property
    def digest(self) -> str:
        values = hashlib.sha256(self.codes.cpu().contiguous().numpy().astype("<i4").data)
        return digest_of(len(self.codes), self.shape[0], values.hexdigest())

    def to(self, device: torch.device) -> "HeldCodes":
        return HeldCodes(self.codes.to(device))


@final
class StreamedCodes(CodedRows):
    """Codes that stay in their file, little-endian int32, row after row.

    The file is mapped anew for each batch: what has been read does not stay in the process.

    Args:
        path: the file.
        num_rows: of the file.
        num_fields: of a row.
        digest: of all codes.
        device: where batches are handed out.
    """

    in_memory = False

    def __init__(
        self,
        path: Path,
        num_rows: int,
        num_fields: int,
        digest: str,
        device: torch.device = torch.device("cpu"),  # noqa: B008 - immutable
    ) -> None:
        super().__init__((num_fields,))
        self._path, self._num_rows, self._digest, self._device = path, num_rows, digest, device

    def __len__(self) -> int:
        return self._num_rows

    def batches(self, chunks: Sequence[Chunk]) -> Iterator[Raw]:
        for chunk in chunks:
            codes = np.memmap(self._path, dtype="<i4", mode="r", shape=(self._num_rows, self.shape[0]))
            rows = np.asarray(codes[chunk.cpu().numpy()], dtype=np.int32)
            yield torch.from_numpy(rows).to(self._device)

    @property
    def digest(self) -> str:
        return self._digest

    def to(self, device: torch.device) -> "StreamedCodes":
        return StreamedCodes(self._path, self._num_rows, self.shape[0], self._digest, device)


def digest_of(num_rows: int, num_fields: int, values_digest: str) -> str:
    """SHA-256 of shape, type and the SHA-256 of the values, whose number is known last.

    Args:
        num_rows: examples.
        num_fields: codes of an example.
        values_digest: SHA-256 of all codes in file order, little-endian int32.
    """
    return hashlib.sha256(json.dumps([num_rows, num_fields, "int32", values_digest]).encode()).hexdigest()
