"""Lines of a click log become codes and labels, a block of bytes at a time, without a loop over lines."""

import gzip
import zlib
from collections.abc import Iterator
from functools import cache
from io import BufferedIOBase
from pathlib import Path
from typing import NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from seedbed.data.click_format import LARGEST_OWN, Column, Format, integer_code, thresholds
from seedbed.data.codes import Codes, Places, Words, code_of, codes_of, words_of
from seedbed.errors import DataError

BLOCK_BYTES = 2**21
NEWLINE, RETURN, MINUS, ZERO = (ord(sign) for sign in "\n\r-0")
# A longer category, or integer, is no category, or integer, but a file in another format.
LONGEST_CATEGORY, LONGEST_INTEGER = 255, 18

Bytes = NDArray[np.uint8]
Labels = NDArray[np.int8]


class Texts(NamedTuple):
    """The values of a column in a block.

    Args:
        buffer: the bytes of the block.
        starts: first byte of each value.
        ends: byte behind each value.
    """

    buffer: Bytes
    starts: Places
    ends: Places

    @property
    def lengths(self) -> Places:
        """Bytes of each value; 0: it is missing."""
        return self.ends - self.starts


class Block(NamedTuple):
    """Consecutive lines, decoded.

    Args:
        codes: [line, field].
        labels: 0 or 1, a line.
    """

    codes: Codes
    labels: Labels


def blocks(path: Path, form: Format, block_bytes: int = BLOCK_BYTES) -> Iterator[Block]:
    """The lines of a file in order; a name that ends in `.gz` is unpacked on the way.

    Args:
        path: the file.
        form: what its lines are.
        block_bytes: about how much is in memory at a time; it changes nothing else.

    Raises:
        DataError: naming the line that is none of the format's, or a file that cannot be read to its end.
    """
    reader = Reader(path, form)
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            reader.skip_header(file)
            for block in _whole_lines(file, block_bytes):
                yield reader.read(block)
    except (OSError, EOFError, zlib.error) as failure:
        raise DataError(
            str(path),
            expected="a file that can be read to its end",
            got=f"{type(failure).__name__}: {failure}",
            do="Fetch it again.",
        ) from failure


def _whole_lines(file: BufferedIOBase, block_bytes: int) -> Iterator[bytes]:
    """The bytes of the file, cut behind newlines; the last line gets one where it has none."""
    rest = b""
    while piece := file.read(block_bytes):
        cut = piece.rfind(b"\n") + 1
        if not cut:
            rest += piece
            continue
        yield rest + piece[:cut]
        rest = piece[cut:]
    if rest:
        yield rest + b"\n"


@final
class Reader:
    """Decodes the blocks of one file, in order.

    Args:
        path: the file, for messages.
        form: what its lines are.
    """

    def __init__(self, path: Path, form: Format) -> None:
        self._path, self._form = path, form
        self._num_lines = 0
        self._latest = -1

    def skip_header(self, file: BufferedIOBase) -> None:
        """Reads the header where the format has one."""
        if not self._form.header:
            return
        header = file.readline(4 * len(self._form.header)).rstrip(b"\r\n")
        if header != self._form.header:
            self._refuse(0, f"the header {self._form.header.decode()}", _shown(header), self._form.hint)
        self._num_lines = 1

    def read(self, block: bytes) -> Block:
        """Codes and labels of whole lines."""
        buffer = np.frombuffer(block, dtype=np.uint8)
        columns = self._cut(block, buffer)
        labels = self._labels(columns[self._form.label])
        if self._form.time is not None:
            self._check_time(columns[self._form.time])
        words = words_of(block)
        codes = np.empty((len(labels), len(self._form.columns)), dtype=np.int32)
        for field, column in enumerate(self._form.columns):
            codes[:, field] = self._column(words, columns[column.place], column)
        self._num_lines += len(labels)
        return Block(codes, labels)

    def _cut(self, block: bytes, buffer: Bytes) -> list[Texts]:
        """The values of each column."""
        num_columns = self._form.num_columns
        ends = np.flatnonzero((buffer == self._form.separator[0]) | (buffer == NEWLINE))
        if len(ends) % num_columns or not self._is_regular(buffer, ends):
            self._refuse_shape(block)
        # A column's places side by side, since all that follows goes column by column.
        starts = np.concatenate([[0], ends[:-1] + 1]).reshape(-1, num_columns).T.copy()
        behind = ends.reshape(-1, num_columns).T.copy()
        # A file that went through Windows ends its lines with two bytes.
        last = np.maximum(behind[-1] - 1, 0)
        behind[-1] -= (buffer[last] == RETURN) & (behind[-1] > starts[-1])
        return [Texts(buffer, *places) for places in zip(starts, behind, strict=True)]

    def _is_regular(self, buffer: Bytes, ends: Places) -> bool:
        newline = (buffer[ends] == NEWLINE).reshape(-1, self._form.num_columns)
        return bool(newline[:, -1].all() and not newline[:, :-1].any())

    def _refuse_shape(self, block: bytes) -> None:
        for number, line in enumerate(block.split(b"\n")[:-1]):
            count = line.count(self._form.separator) + 1
            if count != self._form.num_columns:
                expected = f"{self._form.num_columns} values, as {self._form.name}'s format has"
                self._refuse(number, expected, f"{count} in {_shown(line)}", self._form.hint)

    def _labels(self, texts: Texts) -> Labels:
        labels = texts.buffer[texts.starts].astype(np.int16) - ZERO
        self._check((texts.lengths == 1) & (labels >= 0) & (labels <= 1), texts, "0 or 1 as the label")
        return labels.astype(np.int8)

    def _column(self, words: Words, texts: Texts, column: Column) -> Codes:
        if column.kind == "integer":
            return self._integer_codes(texts, column.field)
        starts = texts.starts
        if column.kind == "hour":
            starts = texts.ends - 2
        what = f"a category of at most {LONGEST_CATEGORY} bytes in column {column.field}"
        self._check(texts.lengths <= LONGEST_CATEGORY, texts, what)
        return codes_of(words, starts, texts.ends, column.field)

    def _integer_codes(self, texts: Texts, field: str) -> Codes:
        here = texts.lengths > 0
        negative = here & (texts.buffer[texts.starts] == MINUS)
        values = self._integers(texts, negative, f"column {field}")
        values = np.where(negative, -values, values)
        # Buckets above, the numbers themselves at and below LARGEST_OWN: no two share a key.
        bucket = np.searchsorted(_thresholds(), values, side="right")
        keys = np.where(values > LARGEST_OWN, bucket + LARGEST_OWN, values)
        different, places = np.unique(keys, return_inverse=True)
        codes = np.array([_integer_code(field, int(key)) for key in different], dtype=np.int32)[places]
        return np.where(here, codes, np.int32(code_of(field, "")))

    def _integers(self, texts: Texts, negative: NDArray[np.bool_], what: str) -> Places:
        """The digits, behind a minus sign where there is one, as numbers; 0 where there is nothing."""
        firsts, lengths = texts.starts + negative, texts.lengths - negative
        right = (lengths <= LONGEST_INTEGER) & ((lengths > 0) | (texts.lengths == 0))
        values = np.zeros(len(firsts), dtype=np.int64)
        for place in range(int(min(lengths.max(initial=0), LONGEST_INTEGER))):
            here = np.flatnonzero(lengths > place)
            digits = texts.buffer[firsts[here] + place].astype(np.int64) - ZERO
            right[here] &= (digits >= 0) & (digits <= 9)
            values[here] = values[here] * 10 + digits
        self._check(right, texts, f"an integer of at most {LONGEST_INTEGER} digits in {what}")
        return values

    def _check_time(self, texts: Texts) -> None:
        """Refuses a time that is none, or earlier than the line before: what comes last is held out."""
        self._check(texts.lengths == 8, texts, "an hour as YYMMDDHH")
        hours = self._integers(texts, np.zeros(len(texts.starts), dtype=np.bool_), "the column of hours")
        before = np.concatenate([[self._latest], hours[:-1]])
        self._check(hours >= before, texts, "lines in the order of their hours")
        self._latest = int(hours[-1])

    def _check(self, right: NDArray[np.bool_], texts: Texts, expected: str) -> None:
        if not right.all():
            place = int(np.flatnonzero(~right)[0])
            got = _shown(texts.buffer[texts.starts[place] : texts.ends[place]].tobytes())
            self._refuse(place, expected, got, self._form.hint)

    def _refuse(self, place: int, expected: str, got: str, hint: str) -> None:
        number = self._num_lines + place + 1
        raise DataError(f"{self._path}, line {number:,}", expected=expected, got=got, do=hint)


@cache
def _thresholds() -> Places:
    return np.array(thresholds(), dtype=np.int64)


@cache
def _integer_code(field: str, key: int) -> int:
    """The code of a key: a number up to LARGEST_OWN, or LARGEST_OWN more than its bucket."""
    if key <= LARGEST_OWN:
        return integer_code(field, key)
    return integer_code(field, int(_thresholds()[key - LARGEST_OWN - 1]))


def _shown(content: bytes) -> str:
    text = repr(content[:80].decode(errors="backslashreplace"))
    return text if len(content) <= 80 else f"{text} ..."
