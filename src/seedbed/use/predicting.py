"""Class probabilities of inputs, batch by batch, as lines of CSV."""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
import torch

from seedbed.data.rows import chunk_size
from seedbed.errors import ConfigError, DataError, StoreError
from seedbed.predictor import Predictor
from seedbed.use.item import Input, Item

# Decoded at once; more gain no speed on a CPU.
MOST_AT_ONCE = 256


@runtime_checkable
class Lines(Protocol):
    """Where lines of text go."""

    def write(self, text: str, /) -> Any:
        """Takes a text."""


class Tally(NamedTuple):
    """How many inputs were predicted, and how many were named and left out."""

    num_predicted: int
    num_left_out: int


def predict(
    predictor: Predictor,
    items: Iterable[Item],
    out: Lines,
    hear: Callable[[DataError], None],
    *,
    top: int | None = None,
) -> Tally:
    """Writes one line of CSV an input: path, most probable class, and probabilities.

    Args:
        predictor: the model.
        items: inputs, in the order of the lines; never more than a batch is held.
        out: where the lines go.
        hear: told why an input is left out, in the order of the inputs, after their batch.
        top: write only so many classes, most probable first; None: `p_CLASS` of each class.

    Raises:
        ConfigError: for a `top` that is not from 1 to the number of classes.
    """
    names = predictor.class_names
    _check_top(top, len(names))
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["path", "predicted", *_columns(names, top)])
    num_predicted = num_left_out = 0
    for batch, errors in _batches(items, predictor.raw_shape):
        for error in errors:
            hear(error)
        if batch:
            probabilities = predictor(torch.stack([given.raw for given in batch])).numpy()
            for given, row in zip(batch, probabilities, strict=True):
                writer.writerow([given.name, names[int(row.argmax())], *_cells(names, row, top)])
        num_predicted, num_left_out = num_predicted + len(batch), num_left_out + len(errors)
    return Tally(num_predicted, num_left_out)


def _check_top(top: int | None, num_classes: int) -> None:
    if top is not None and not 1 <= top <= num_classes:
        raise ConfigError(
            f"--top {top}",
            expected=f"from 1 to the {num_classes} classes of the model",
            got=str(top),
            do="Leave it out for the probabilities of all classes.",
        )


def _columns(names: Sequence[str], top: int | None) -> list[str]:
    if top is None:
        return [f"p_{name}" for name in names]
    return [column for place in range(1, top + 1) for column in (f"class_{place}", f"p_{place}")]


def _cells(names: Sequence[str], row: Any, top: int | None) -> list[str]:
    """Probabilities with as many digits as their type has."""
    if top is None:
        return [str(value) for value in row]
    order = np.argsort(-row, kind="stable")[:top]
    return [cell for place in order for cell in (names[place], str(row[place]))]


def _batches(
    items: Iterable[Item], shape: tuple[int, ...]
) -> Iterator[tuple[Sequence[Input], Sequence[DataError]]]:
    """Full batches, each with the errors that came between its inputs."""
    batch: list[Input] = []
    errors: list[DataError] = []
    size = min(MOST_AT_ONCE, chunk_size(shape))
    for item in items:
        if isinstance(item, DataError):
            errors.append(item)
        else:
            batch.append(item)
        if max(len(batch), len(errors)) == size:
            yield batch, errors
            batch, errors = [], []
    if batch or errors:
        yield batch, errors


@contextmanager
def written(out: Path) -> Iterator[Lines]:
    """A text file that takes its name, and the place of an earlier one, only when it is whole.

    Raises:
        StoreError: where it cannot be written.
    """
    partial = out.with_name(f"{out.name}.partial")
    try:
        # File names need not be text that can be encoded.
        with partial.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            yield file
        partial.replace(out)
    except OSError as error:
        raise StoreError(
            f"--out {out}",
            expected="a file that can be written",
            got=str(error.strerror or error),
            do="Choose another: --out FILE.",
        ) from error
    finally:
        partial.unlink(missing_ok=True)
