"""Rows of a CSV file to the raw inputs of a model, matched by the names of the columns."""

import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import torch

from seedbed.errors import DataError
from seedbed.use.item import Input, Item

# Of columns, in a message.
NUM_NAMED = 5


def rows(file: Path, column_names: Sequence[str]) -> Iterator[Item]:
    """Each row as an input named `FILE:LINE`; one that does not fit as the error that says why.

    Columns are found by their names, in any order; columns that the model does not know are ignored.

    Args:
        file: CSV with a first line of names.
        column_names: what the model was trained on, in order.
    """
    try:
        with file.open(newline="", encoding="utf-8-sig") as opened:
            reader = csv.DictReader(opened, strict=True)
            missing = [name for name in column_names if name not in (reader.fieldnames or ())]
            if missing:
                yield _without(file, missing, reader.fieldnames or ())
                return
            for row in reader:
                yield _input(f"{file}:{reader.line_num}", row, column_names)
    except (OSError, UnicodeDecodeError, csv.Error) as failure:
        words = getattr(failure, "strerror", None) or str(failure)
        yield DataError(
            str(file), expected="a CSV file in UTF-8", got=words, do="Replace this file, or the rest of it."
        )


def _input(name: str, row: Mapping[str, str | None], column_names: Sequence[str]) -> Item:
    values = []
    for column in column_names:
        text = row[column]
        try:
            value = float(text or "")
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            return DataError(
                f"{name}, column {column!r}",
                expected="a number",
                got=repr(text) if text else "nothing",
                do="Correct this row.",
            )
        values.append(value)
    return Input(name, torch.tensor(values, dtype=torch.float64))


def _without(file: Path, missing: Sequence[str], found: Sequence[str]) -> DataError:
    named = _first([name for name in found if name]) or "nothing"
    return DataError(
        str(file),
        expected="a first line that names the columns of the run's data",
        got=f"none for {_first(missing)} (it names {named})",
        do="Add the missing columns; their order does not matter.",
    )


def _first(names: Sequence[str]) -> str:
    more = f" and {len(names) - NUM_NAMED} more" if len(names) > NUM_NAMED else ""
    return ", ".join(names[:NUM_NAMED]) + more
