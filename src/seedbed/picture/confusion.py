"""Which class is taken for which: shares of each true class as shades, counts printed."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float64, Int64
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from seedbed.picture.labels import shortened
from seedbed.picture.picture import Cell, Picture
from seedbed.picture.style import FAINT, figure, styled, svg

Counts = Int64[np.ndarray, "class class"]
Shares = Float64[np.ndarray, "class class"]

# More classes than these leave no room for a number in each cell, or for a name at each line.
MOST_PRINTED, MOST_NAMED = 20, 30
# Ink of a cell, whatever the page around it is: a page's own ink would vanish on some cells.
DARK, LIGHT = "#101214", "#fdfdfe"


def row_shares(counts: Counts) -> Shares:
    """Each cell as a share of its true class; a class without an example is NaN throughout.

    Example:
        >>> row_shares(np.array([[3, 1], [0, 0]])).tolist()
        [[0.75, 0.25], [nan, nan]]
    """
    totals = counts.sum(axis=1, keepdims=True).astype(np.float64)
    shares: Shares = np.divide(counts, totals, out=np.full(counts.shape, np.nan), where=totals > 0)
    return shares


def confusion(counts: Counts, names: Sequence[str], split: str) -> Picture:
    """A cell a pair of classes; rows are true classes, columns what they were taken for.

    Args:
        counts: examples a (true class, predicted class).
        names: of the classes.
        split: whose examples they are.
    """
    shares, size = row_shares(counts), len(names)
    side = min(7.0, 2.3 + 0.42 * size)
    with styled("confusion"):
        drawing, (axis,) = figure(side - 0.3, width=side + 0.5)
        image = axis.imshow(shares, cmap=_greys(), vmin=0, vmax=1, interpolation="none")
        _name(axis, counts, names)
        if size <= MOST_PRINTED:
            _print(axis, counts, shares)
        _key(drawing, axis, image)
        right = int(counts.diagonal().sum())
        total = int(counts.sum())
        axis.set_title(f"{split}, n = {total:,} examples, {right:,} of them right")
        text = svg(drawing, "confusion")
    rows: list[list[Cell]] = [
        [true, predicted, int(counts[row, column]), _cell(float(shares[row, column]))]
        for row, true in enumerate(names)
        for column, predicted in enumerate(names)
        if size <= MOST_PRINTED or counts[row, column]
    ]
    columns = ["true", "predicted", "count", "share_of_true"]
    return Picture("confusion", "Confusion matrix", _caption(counts, names), text, columns, rows)


def _caption(counts: Counts, names: Sequence[str]) -> str:
    told = (
        "A row is a true class, a column what its examples were taken for; shades are shares of the row,"
        " so every row adds up to 1 whatever the size of its class."
    )
    if len(names) <= MOST_PRINTED:
        told += " The numbers are counts of examples; empty cells have none."
    else:
        told += (
            f" With more than {MOST_PRINTED} classes the counts are not printed; the table has all that are"
            " not 0."
        )
    empty = int((counts.sum(axis=1) == 0).sum())
    return told + (f" {empty} of the classes have no example here: their rows are hatched." if empty else "")


def _cell(share: float) -> float | None:
    return None if np.isnan(share) else share


def _greys() -> Any:
    import matplotlib as mpl

    return mpl.colormaps["Greys"]


def _name(axis: Axes, counts: Counts, names: Sequence[str]) -> None:
    """Names at the lines; of many classes every second, third, ... one."""
    step = -(-len(names) // MOST_NAMED)
    places = list(range(0, len(names), step))
    short = shortened([names[place] for place in places], 16)
    totals = counts.sum(axis=1)
    sized = [f"{name}, n = {totals[place]:,}" for name, place in zip(short, places, strict=True)]
    axis.set_yticks(places, sized if step == 1 else short)
    axis.set_xticks(places, short)
    if step > 1 or max(map(len, short)) > 3:
        axis.tick_params(axis="x", labelrotation=90)
    axis.tick_params(length=0)
    if len(names) > MOST_PRINTED:
        axis.tick_params(labelsize=6.5)
    axis.set_ylabel("true class")
    axis.set_xlabel("predicted class")
    axis.spines[:].set_visible(True)
    for place in np.flatnonzero(totals == 0):
        axis.axhspan(place - 0.5, place + 0.5, facecolor="none", edgecolor=FAINT, hatch="////", linewidth=0)


def _print(axis: Axes, counts: Counts, shares: Shares) -> None:
    size = 8 if len(counts) <= 12 and counts.max() < 10_000 else 6
    for row, column in np.argwhere(counts > 0):
        ink = LIGHT if shares[row, column] > 0.5 else DARK
        axis.text(column, row, f"{counts[row, column]}", ha="center", va="center", color=ink, fontsize=size)


def _key(drawing: Figure, axis: Axes, image: Any) -> None:
    bar = drawing.colorbar(image, ax=axis, shrink=0.8, aspect=25)
    bar.set_label("share of the true class")
    bar.outline.set_visible(False)
