"""What single classes reach: a dot with its interval for recall, another for precision."""

from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from seedbed.picture.picture import Cell, Picture
from seedbed.picture.style import figure, legend_below, legend_height, look, rows_of, styled, svg

APART = 0.16


class Share(NamedTuple):
    """A share of some examples.

    Args:
        hits: examples that are right.
        num_examples: of how many.
        value: hits / num_examples; None where there are none.
        low: lower end of its 95 % interval.
        high: upper end.
    """

    hits: int
    num_examples: int
    value: float | None
    low: float | None
    high: float | None


class ClassShares(NamedTuple):
    """One class.

    Args:
        name: of the class.
        recall: share of its examples that were taken for it.
        precision: share of the examples taken for it that are of it.
    """

    name: str
    recall: Share
    precision: Share


def per_class(classes: Sequence[ClassShares], split: str, drawn: Sequence[int] | None = None) -> Picture:
    """A line a class with its recall and its precision.

    Args:
        classes: all, in their order.
        split: whose examples they are.
        drawn: places of those that have room, from top to bottom; None: all.
    """
    name, total = "per_class", sum(one.recall.num_examples for one in classes)
    shown = [classes[place] for place in (range(len(classes)) if drawn is None else drawn)]
    labels = ["recall", "precision"]
    with styled(name):
        drawing, (axis,) = figure(1.3 + 0.3 * len(shown) + legend_height(labels))
        for place, one in enumerate(shown):
            _share(axis, place - APART, one.recall, 0)
            _share(axis, place + APART, one.precision, 1)
        rows_of(axis, [f"{one.name}, n = {one.recall.num_examples:,}" for one in shown])
        axis.set_xlabel("share of examples, with its 95 % Wilson interval")
        axis.set_xlim(right=1.02)
        axis.set_title(f"{split}, n = {total:,} examples")
        legend_below(drawing, [_handle(0), _handle(1)], labels)
        text = svg(drawing, name)
    rows: list[list[Cell]] = [[one.name, *one.recall, *one.precision] for one in classes]
    heads = [f"{kind}_{field}" for kind in ("recall", "precision") for field in Share._fields]
    return Picture(name, "Class by class", _caption(classes, len(shown)), text, ["class", *heads], rows)


def _caption(classes: Sequence[ClassShares], num_shown: int) -> str:
    told = (
        "Recall: of the n examples of a class, the share that was taken for it. Precision: of all examples"
        " that were taken for the class, the share that is of it. A class without such examples has no dot."
        " The intervals are for one class at a time: of twenty, one may well miss its true share."
    )
    if num_shown < len(classes):
        told += f" Shown are the {num_shown} classes of lowest recall of {len(classes)}; the table has all."
    return told


def _share(axis: Axes, height: float, share: Share, place: int) -> None:
    if share.value is None or share.low is None or share.high is None:
        return
    colour, mark, _ = look(place)
    axis.plot([share.low, share.high], [height, height], color=colour, linewidth=1.2)
    axis.plot([share.value], [height], mark, color=colour, markersize=4.5)


def _handle(place: int) -> Line2D:
    colour, mark, _ = look(place)
    return Line2D([], [], color=colour, marker=mark, markersize=4.5, linewidth=1.2)
