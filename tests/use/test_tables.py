"""Rows of a CSV file: columns by name, what is no number by line, and the rest goes on."""

from pathlib import Path

import pytest

from seedbed.errors import DataError
from seedbed.use.item import Input, Item
from seedbed.use.tables import rows

NAMES = ("age", "dose")


def read(folder: Path, text: str | bytes) -> list[Item]:
    file = folder / "rows.csv"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return list(rows(file, NAMES))


@pytest.mark.parametrize(
    "text",
    [
        "age,dose\n50,0.5\n60,1e3\n",
        "name,dose,age\r\nA,0.5,50\r\n\r\nB,1000,60\r\n",
        "\ufeffdose,age\n.5,50\n1000,60",
    ],
    ids=["plain", "other order, more columns", "Excel's mark"],
)
def test_columns_are_found_by_name(tmp_path: Path, text: str) -> None:
    found = [item for item in read(tmp_path, text) if isinstance(item, Input)]
    assert [item.raw.tolist() for item in found] == [[50.0, 0.5], [60.0, 1000.0]]


@pytest.mark.parametrize(
    ("cell", "got"), [("x", "'x'"), ("", "nothing"), ("nan", "'nan'"), ("inf", "'inf'"), ("1,5", None)]
)
def test_a_row_without_a_number_is_named_by_its_line_and_the_rest_goes_on(
    tmp_path: Path, cell: str, got: str | None
) -> None:
    first, second, third = read(tmp_path, f"age,dose\n50,1\n{cell},2\n60,3\n")
    assert isinstance(first, Input)
    assert isinstance(third, Input)
    assert (first.name, third.name) == (f"{tmp_path}/rows.csv:2", f"{tmp_path}/rows.csv:4")
    if got is None:  # a value too many moves none of the others
        assert isinstance(second, Input)
    else:
        told = f"{tmp_path}/rows.csv:3, column 'age': expected a number, got {got}. Correct this row."
        assert str(second) == told


def test_a_row_that_ends_early_is_named(tmp_path: Path) -> None:
    (error,) = read(tmp_path, "age,dose\n50\n")
    assert "column 'dose': expected a number, got nothing" in str(error)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "got none for age, dose (it names nothing)"),
        ("50,1\n", "got none for age, dose (it names 50, 1)"),
        ("age,Dose\n1,2\n", "got none for dose (it names age, Dose). Add the missing columns"),
        (b"age,dose\n\xff\xfe,1\n", "expected a CSV file in UTF-8, got 'utf-8' codec can't decode byte 0xff"),
        ('age,dose\n"50,1\n', "expected a CSV file in UTF-8, got unexpected end of data"),
    ],
)
def test_a_file_that_is_no_such_table_is_named(tmp_path: Path, text: str | bytes, told: str) -> None:
    (error,) = read(tmp_path, text)
    assert isinstance(error, DataError)
    assert told in str(error)


def test_a_file_that_is_gone_is_named(tmp_path: Path) -> None:
    (error,) = rows(tmp_path / "gone.csv", NAMES)
    assert "got No such file or directory" in str(error)
