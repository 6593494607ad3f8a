"""Codes: names of categories as numbers, the same on every machine and in every process.

The code of a category is MurmurHash3 (32 bits) of its text, seeded with that of the field's name, of which
the lowest 24 bits are kept: as many as a float32 holds exactly, so that codes travel where all inputs do.
A network takes as many of the lowest bits as it has slots for, and so a sweep over the number of slots
reads a file once.

Source: A. Appleby (2011), MurmurHash3_x86_32; K. Weinberger et al. (2009), "Feature hashing for large
scale multitask learning".
"""

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.int64]
Words = NDArray[np.uint32]
Codes = NDArray[np.int32]

# What names a cache entry: another scheme is another code for the same text.
SCHEME = "seedbed 1: MurmurHash3_x86_32 seeded with the field's, 24 bits"
NUM_BITS = 24
NUM_CODES = 1 << NUM_BITS
FIRST, SECOND, ADDED = np.uint32(0xCC9E2D51), np.uint32(0x1B873593), np.uint32(0xE6546B64)
FINAL = ((16, np.uint32(0x85EBCA6B)), (13, np.uint32(0xC2B2AE35)))
# What is left of a word that reaches beyond its text by four, three, two and one bytes.
TAILS = np.array([0, 0xFF, 0xFFFF, 0xFFFFFF], dtype=np.uint32)


def words_of(content: bytes) -> Words:
    """The four bytes from each place on, as a little-endian number; zeros behind the end."""
    padded = np.frombuffer(content + bytes(4), dtype=np.uint8)
    return np.ndarray(len(content) + 1, dtype="<u4", buffer=padded, strides=(1,))


def codes_of(words: Words, starts: Places, ends: Places, field: str) -> Codes:
    """The code of each text of a column, 0 <= code < 2^24.

    Args:
        words: `words_of` the bytes that all texts are parts of.
        starts: first byte of each text.
        ends: byte behind each text, at least its first; an empty text is a missing value, a category too.
        field: name of the column.
    """
    hashes = _murmur(words, starts, ends - starts, _seed(field))
    return (hashes & np.uint32(NUM_CODES - 1)).astype(np.int32)


def code_of(field: str, value: str) -> int:
    """The code of one category.

    Example:
        >>> code_of("C1", "68fd1e64"), code_of("C2", "68fd1e64"), code_of("C1", "")
        (4199596, 9829067, 10491314)
    """
    return int(codes_of_texts([value], field)[0])


def codes_of_texts(texts: Sequence[str], field: str) -> Codes:
    """The code of each text of a column."""
    contents = [text.encode() for text in texts]
    lengths = np.array([len(content) for content in contents], dtype=np.int64)
    ends = lengths.cumsum()
    return codes_of(words_of(b"".join(contents)), ends - lengths, ends, field)


@cache
def _seed(field: str) -> np.uint32:
    content = field.encode()
    nowhere, lengths = np.zeros(1, dtype=np.int64), np.array([len(content)], dtype=np.int64)
    return np.uint32(_murmur(words_of(content), nowhere, lengths, np.uint32(0))[0])


def _murmur(words: Words, starts: Places, lengths: Places, seed: np.uint32) -> Words:
    hashes = np.full(len(starts), seed, dtype=np.uint32)
    num_words = lengths >> 2
    shortest = int(num_words.min()) if len(starts) else 0
    for number in range(int(num_words.max(initial=0))):
        if number < shortest:  # all are as long: nothing to pick
            hashes = _stirred(hashes ^ _spread(words[starts + 4 * number]))
            continue
        here = np.flatnonzero(num_words > number)
        hashes[here] = _stirred(hashes[here] ^ _spread(words[starts[here] + 4 * number]))
    here = np.flatnonzero(lengths & 3)
    tails = words[starts[here] + 4 * num_words[here]] & TAILS[lengths[here] & 3]
    hashes[here] ^= _spread(tails)
    return _finished(hashes ^ lengths.astype(np.uint32))


def _spread(words: Words) -> Words:
    return _rotated(words * FIRST, 15) * SECOND


def _stirred(hashes: Words) -> Words:
    return _rotated(hashes, 13) * np.uint32(5) + ADDED


def _finished(hashes: Words) -> Words:
    for shift, factor in FINAL:
        hashes = (hashes ^ (hashes >> np.uint32(shift))) * factor
    return hashes ^ (hashes >> np.uint32(16))


def _rotated(words: Words, by: int) -> Words:
    return (words << np.uint32(by)) | (words >> np.uint32(32 - by))
