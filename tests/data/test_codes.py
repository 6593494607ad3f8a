"""Codes are MurmurHash3's, on every machine, wherever in a block the text lies."""

import numpy as np
import pytest
from sklearn.utils import murmurhash3_32

from seedbed.data.codes import NUM_CODES, code_of, codes_of, codes_of_texts, words_of

TEXTS = ["", "a", "ab", "abc", "abcd", "68fd1e64", "123456789", "-1", "SP-1", "ä", "x" * 255]


def expected(field: str, value: str) -> int:
    seed = murmurhash3_32(field.encode(), seed=0, positive=True)
    return int(murmurhash3_32(value.encode(), seed=seed, positive=True)) % NUM_CODES


@pytest.mark.parametrize("field", ["C1", "site_id", ""])
@pytest.mark.parametrize("order", [1, -1])
def test_codes_are_those_of_scikit_learns_murmurhash(field: str, order: int) -> None:
    texts = [text.encode() for text in TEXTS[::order]]
    content = b"\t".join(texts)
    ends = np.cumsum([len(text) + 1 for text in texts]) - 1
    starts = ends - [len(text) for text in texts]
    codes = codes_of(words_of(content), starts, ends, field)
    assert codes.tolist() == [expected(field, text) for text in TEXTS[::order]]
    assert [code_of(field, text) for text in TEXTS[::order]] == codes.tolist()


def test_texts_of_one_length_and_no_texts_at_all() -> None:
    starts = np.arange(0, 40, 8)
    content = b"".join(f"{number:08x}".encode() for number in range(5))
    codes = codes_of(words_of(content), starts, starts + 8, "C1")
    assert codes.tolist() == [expected("C1", f"{number:08x}") for number in range(5)]
    assert codes_of(words_of(b""), starts[:0], starts[:0], "C1").tolist() == []


def test_the_codes_of_today_are_those_of_tomorrow() -> None:
    # Frozen: another code for the same text would make every fitted model worthless.
    assert [code_of("C1", "68fd1e64"), code_of("I1", "SP-1"), code_of("C1", "")] == [
        4199596,
        3702243,
        10491314,
    ]


def test_one_value_has_a_code_of_its_own_in_each_field() -> None:
    assert len({code_of(f"C{place}", "") for place in range(1, 27)}) == 26


@pytest.mark.parametrize("num_bits", [4, 10])
def test_the_lowest_bits_spread_evenly(num_bits: int) -> None:
    slots = codes_of_texts([f"{number:08x}" for number in range(20_000)], "C1") % 2**num_bits
    counts = np.bincount(slots, minlength=2**num_bits)
    mean = 20_000 / 2**num_bits
    # Chi-squared over its degrees of freedom: 1, with a standard deviation of sqrt(2 / slots).
    statistic = ((counts - mean) ** 2 / mean).sum() / (2**num_bits - 1)
    assert abs(statistic - 1) < 4 * np.sqrt(2 / 2**num_bits)
