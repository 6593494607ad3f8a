"""What single classes reach, from the confusion matrices of a setting's runs."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from seedbed.verdict.statistics import Description, describe


class ClassResult(NamedTuple):
    """One class over the runs that had examples of it.

    Args:
        name: of the class.
        num_examples: fewest and most examples of it that a run evaluated.
        recall: share of its examples that were taken for it.
        f1_score: harmonic mean of recall and precision.
    """

    name: str
    num_examples: tuple[int, int]
    recall: Description
    f1_score: Description


class _Count(NamedTuple):
    """One class in one run: its examples, those taken for it, and those of both."""

    labelled: int
    predicted: int
    hits: int


def per_class(confusions: Iterable[str], ratio: float = 0.0) -> list[ClassResult]:
    """Recall and F1 score of each class, in the order of the classes.

    A class that no run had an example of is left out: nothing was asked of the model there.

    Args:
        confusions: one CSV a run, rows the true classes, columns the predicted ones, cells counts.
        ratio: as in `statistics.estimate`.
    """
    found: dict[str, list[_Count]] = {}
    for text in confusions:
        for name, count in _counts(text):
            found.setdefault(name, []).extend([count] if count.labelled else [])
    return [_result(name, counts, ratio) for name, counts in found.items() if counts]


def _counts(text: str) -> list[tuple[str, _Count]]:
    rows = list(csv.reader(io.StringIO(text)))
    cells = np.array([[int(cell) for cell in row[1:]] for row in rows[1:]])
    labelled, predicted, hits = cells.sum(axis=1), cells.sum(axis=0), cells.diagonal()
    names = rows[0][1:]
    return [
        (name, _Count(*map(int, found)))
        for name, *found in zip(names, labelled, predicted, hits, strict=True)
    ]


def _result(name: str, counts: Sequence[_Count], ratio: float) -> ClassResult:
    sizes = [count.labelled for count in counts]
    recall = np.array([count.hits / count.labelled for count in counts])
    f1_score = np.array([2 * count.hits / (count.labelled + count.predicted) for count in counts])
    return ClassResult(name, (min(sizes), max(sizes)), describe(recall, ratio), describe(f1_score, ratio))
