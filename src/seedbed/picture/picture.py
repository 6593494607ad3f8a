"""A figure with its words and its numbers."""

import csv
import io
from collections.abc import Sequence
from typing import NamedTuple

Cell = str | int | float | None

# Every picture there is, by file name.
NAMES = (
    "distribution",
    "differences",
    "paired_dots",
    "learning_curves",
    "slices",
    "importances",
    "best_so_far",
    "expected_best",
    "trade_off",
    "cost",
    "cost_against_metric",
    "graph",
    "autograd",
)


class Picture(NamedTuple):
    """What a figure function returns.

    Args:
        name: file name without its ending.
        title: what is drawn, a few words.
        caption: how to read it, whole sentences.
        svg: the drawing, an SVG document.
        columns: names of the table's columns.
        rows: the numbers behind the drawing; None where there is none.
    """

    name: str
    title: str
    caption: str
    svg: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]

    def csv(self) -> str:
        """The numbers as CSV, floats to the last digit."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows(self.rows)
        return out.getvalue()
