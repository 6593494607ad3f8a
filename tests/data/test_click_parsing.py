"""Lines in, codes out: against a parser that takes a line at a time, and every refusal by its line."""

import gzip
import math
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from experiments.clicks.generate import drawn, texts
from seedbed.data import codes
from seedbed.data.click_format import AVAZU, CRITEO, NUM_BUCKETS, Format, integer_token, thresholds
from seedbed.data.click_parsing import Block, blocks
from seedbed.errors import DataError
from tests.data.clicks import NUM_CATEGORIES, write_log

code_of = cache(codes.code_of)
FORMATS = {"criteo": CRITEO, "avazu": AVAZU}


def read(path: Path, form: Format, block_bytes: int = 2**20) -> Block:
    parts = list(blocks(path, form, block_bytes))
    return Block(
        np.concatenate([part.codes for part in parts]), np.concatenate([part.labels for part in parts])
    )


def by_line(path: Path, form: Format) -> tuple[list[list[int]], list[int]]:
    """The same, a line at a time."""
    lines = path.read_bytes().decode().splitlines()[bool(form.header) :]
    rows, labels = [], []
    for line in lines:
        values = line.split(form.separator.decode())
        row = []
        for column in form.columns:
            text = values[column.place]
            if column.kind == "integer" and text:
                text = integer_token(int(text))
            row.append(code_of(column.field, text[-2:] if column.kind == "hour" else text))
        rows.append(row)
        labels.append(int(values[form.label]))
    return rows, labels


def line_of(form: Format, **changes: str) -> bytes:
    """A line of the format, with values changed by field or `label`."""
    values = ["7"] * form.num_columns
    values[form.label] = "1"
    if form.time is not None:
        values[form.time] = "14102100"
    places = {column.field: column.place for column in form.columns} | {"label": form.label}
    for name, value in changes.items():
        values[places[name]] = value
    return form.separator.join(value.encode() for value in values) + b"\n"


def refusal(path: Path, form: Format, content: bytes) -> str:
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        read(path, form)
    return str(caught.value).removeprefix(f"{path}, ")


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("block_bytes", [700, 5000, 2**20])
def test_blocks_of_any_size_give_what_single_lines_give(tmp_path: Path, name: str, block_bytes: int) -> None:
    path = tmp_path / "log"
    write_log(path, name, 50)
    found = read(path, FORMATS[name], block_bytes)
    expected, labels = by_line(path, FORMATS[name])
    assert found.codes.tolist() == expected
    assert found.labels.tolist() == labels


@pytest.mark.parametrize("name", FORMATS)
def test_a_written_log_says_what_was_drawn(tmp_path: Path, name: str) -> None:
    truth, form = write_log(tmp_path / "log", name), FORMATS[name]
    found = read(tmp_path / "log", form)
    assert found.labels.tolist() == truth.clicks.tolist()
    for column, categories in zip(drawn(form), truth.categories.T, strict=True):
        names = texts(column, NUM_CATEGORIES)
        if column.kind == "integer":
            names = [integer_token(int(name)) if name else "" for name in names]
        expected = [code_of(column.field, names[category]) for category in categories]
        assert found.codes[:, form.columns.index(column)].tolist() == expected


def test_an_empty_value_is_a_category_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(line_of(CRITEO, I1="", C1="") + line_of(CRITEO, I1="0", C1="0"))
    assert read(path, CRITEO).codes[:, [0, 13]].tolist() == [
        [code_of("I1", ""), code_of("C1", "")],
        [code_of("I1", "SP0"), code_of("C1", "0")],
    ]


def test_integers_share_a_bucket_where_the_square_of_their_logarithm_does(tmp_path: Path) -> None:
    values = [-12345678, -3, -1, 0, 1, 2, 3, 4, 5, 7, 8, 99, 100, 10**6, 2**31, 10**18 - 1]
    path = tmp_path / "log"
    path.write_bytes(b"".join(line_of(CRITEO, I3=str(value)) for value in values))
    tokens = [str(math.floor(math.log(value) ** 2)) if value > 2 else f"SP{value}" for value in values]
    assert read(path, CRITEO).codes[:, 2].tolist() == [code_of("I3", token) for token in tokens]


def test_the_least_integer_of_each_bucket_is_the_least() -> None:
    found = thresholds()
    assert len(found) == NUM_BUCKETS - 1
    for bucket, least in enumerate(found[:700], 1):  # up to 3e11; beyond, neighbours share a double
        assert math.log(least) ** 2 >= bucket
        assert least == 3 or math.log(least - 1) ** 2 < bucket
    # The nearest that any comes to a whole number, a thousand times what rounding moves.
    assert min(math.log(least) ** 2 % 1 for least in found[:461]) > 1e-12


def test_lines_may_end_as_on_windows_and_the_last_need_not_end(tmp_path: Path) -> None:
    path, plain = tmp_path / "log", line_of(CRITEO, C26="last") + line_of(CRITEO, C26="")
    path.write_bytes(plain)
    expected = read(path, CRITEO)
    for content in (plain.replace(b"\n", b"\r\n"), plain[:-1]):
        path.write_bytes(content)
        assert np.array_equal(read(path, CRITEO).codes, expected.codes)


def test_a_packed_file_is_unpacked_on_the_way(tmp_path: Path) -> None:
    write_log(tmp_path / "log", "avazu")
    packed = tmp_path / "log.gz"
    packed.write_bytes(gzip.compress((tmp_path / "log").read_bytes()))
    assert np.array_equal(read(packed, AVAZU).codes, read(tmp_path / "log", AVAZU).codes)


def test_a_packed_file_that_was_cut_short_is_refused(tmp_path: Path) -> None:
    packed = tmp_path / "log.gz"
    packed.write_bytes(gzip.compress(AVAZU.header + b"\n" + line_of(AVAZU) * 100)[:-8])
    with pytest.raises(DataError) as caught:
        read(packed, AVAZU)
    assert str(caught.value).startswith(
        f"{packed}: expected a file that can be read to its end, got EOFError"
    )
    packed.write_bytes(b"no gzip")
    with pytest.raises(DataError, match="got BadGzipFile"):
        read(packed, AVAZU)


def test_a_line_of_another_number_of_values_is_named(tmp_path: Path) -> None:
    content = line_of(CRITEO) * 3 + line_of(CRITEO)[2:] + line_of(CRITEO)
    assert refusal(tmp_path / "log", CRITEO, content) == (
        "line 4: expected 40 values, as Criteo's format has, got 39 in "
        + repr(line_of(CRITEO)[2:-1].decode())
        + ". A line is label, 13 integers, 26 categories, with a tab between two; the publisher's test.txt "
        "has no labels and cannot be learnt from."
    )


@pytest.mark.parametrize("content", [line_of(CRITEO).replace(b"\t", b","), b"\n", b"\xff\xfe\n", b"0" * 300])
def test_a_file_of_another_kind_is_refused_at_its_first_line(tmp_path: Path, content: bytes) -> None:
    assert refusal(tmp_path / "log", CRITEO, content).startswith("line 1: expected 40 values, ")


def test_a_missing_line_end_between_two_lines_is_found(tmp_path: Path) -> None:
    joined = line_of(CRITEO)[:-1] + b"\t" + line_of(CRITEO)
    assert refusal(tmp_path / "log", CRITEO, joined).startswith(
        "line 1: expected 40 values, as Criteo's format "
    )


@pytest.mark.parametrize("label", ["", "2", "-1", "10", "a"])
def test_a_label_that_is_neither_0_nor_1_is_named(tmp_path: Path, label: str) -> None:
    text = refusal(tmp_path / "log", CRITEO, line_of(CRITEO) + line_of(CRITEO, label=label))
    assert text.startswith(f"line 2: expected 0 or 1 as the label, got {label!r}. ")


@pytest.mark.parametrize("value", ["1.5", "a", "-", "--1", "1" * 19, "1e3", " 1"])
def test_a_number_that_is_no_integer_is_named(tmp_path: Path, value: str) -> None:
    text = refusal(tmp_path / "log", CRITEO, line_of(CRITEO) + line_of(CRITEO, I13=value))
    assert text.startswith(f"line 2: expected an integer of at most 18 digits in column I13, got {value!r}. ")


def test_a_category_longer_than_any_is_named(tmp_path: Path) -> None:
    text = refusal(tmp_path / "log", CRITEO, line_of(CRITEO, C5="x" * 256))
    assert text.startswith("line 1: expected a category of at most 255 bytes in column C5, got 'xxx")
    assert "..." in text


def test_another_header_is_refused(tmp_path: Path) -> None:
    header = AVAZU.header.replace(b"click,", b"")
    assert refusal(tmp_path / "log", AVAZU, header + b"\n").startswith(
        "line 1: expected the header id,click,hour,C1,"
    )


def test_an_hour_before_the_last_is_refused_even_in_another_block(tmp_path: Path) -> None:
    path, lines = (
        tmp_path / "log",
        [line_of(AVAZU, hour=hour) for hour in ("14102101", "14102101", "14102100")],
    )
    path.write_bytes(AVAZU.header + b"\n" + b"".join(lines))
    for block_bytes in (10, 2**20):
        with pytest.raises(DataError) as caught:
            read(path, AVAZU, block_bytes)
        assert str(caught.value).startswith(
            f"{path}, line 4: expected lines in the order of their hours, got '14102100'. "
        )


@pytest.mark.parametrize("hour", ["141021", "2014-1-1", "1410210a"])
def test_an_hour_that_is_none_is_named(tmp_path: Path, hour: str) -> None:
    text = refusal(tmp_path / "log", AVAZU, AVAZU.header + b"\n" + line_of(AVAZU, hour=hour))
    assert text.startswith("line 2: expected an ")
    assert repr(hour) in text
