"""How values are distributed: counts in bins, with what is told of all of them."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from seedbed.picture.picture import Cell, Picture
from seedbed.picture.style import INK, figure, legend_below, legend_height, look, styled, svg


class Histogram(NamedTuple):
    """Values counted.

    Args:
        label: the quantity with its unit.
        edges: of the bins, rising, one more than `counts`.
        counts: values in each bin.
        outside: values below the first edge or above the last, not drawn.
        mark: one value to be marked.
        low: lower end of an interval.
        high: upper end.
    """

    label: str
    edges: Sequence[float]
    counts: Sequence[int]
    outside: int
    mark: float
    low: float
    high: float


class Words(NamedTuple):
    """What the legend and the vertical axis say: of a value, of the mark, of the interval."""

    value: str
    mark: str
    interval: str


def histograms(drawn: Sequence[Histogram], words: Words) -> Picture:
    """One axes a quantity, side by side.

    Args:
        drawn: one to three, each of at least one value.
        words: of the legend, the same for all.
    """
    name = "histograms"
    labels = [words.mark, words.interval]
    with styled(name):
        drawing, axes = figure(2.6 + legend_height(labels), 1, len(drawn))
        for axis, histogram in zip(axes, drawn, strict=True):
            _draw(axis, histogram)
        drawing.supylabel(f"number of {words.value}", fontsize="medium")
        colour = look(1).colour
        handles = [Line2D([], [], color=INK), Patch(color=colour, alpha=0.25)]
        legend_below(drawing, handles, labels)
        text = svg(drawing, name)
    caption = f"Bars count {words.value}; the line is {words.mark}, the shade {words.interval}."
    columns = ["quantity", "what", "from", "to", "count"]
    rows = [row for histogram in drawn for row in _rows(histogram)]
    return Picture(name, "Distributions", caption, text, columns, rows)


def _draw(axis: Axes, histogram: Histogram) -> None:
    edges = histogram.edges
    widths = [after - before for before, after in pairwise(edges)]
    axis.axvspan(histogram.low, histogram.high, color=look(1).colour, alpha=0.25, linewidth=0, zorder=0)
    axis.bar(edges[:-1], histogram.counts, widths, align="edge", color=look(0).colour, alpha=0.7)
    axis.axvline(histogram.mark, color=INK)
    axis.set_xlim(edges[0], edges[-1])
    axis.set_xlabel(histogram.label)
    beyond = f", {histogram.outside:,} outside" if histogram.outside else ""
    axis.set_title(f"n = {sum(histogram.counts) + histogram.outside:,}{beyond}")


def _rows(histogram: Histogram) -> list[list[Cell]]:
    bins = zip(pairwise(histogram.edges), histogram.counts, strict=True)
    rows: list[list[Cell]] = [[histogram.label, "bin", *ends, count] for ends, count in bins]
    return [
        *rows,
        [histogram.label, "mark", histogram.mark, None, None],
        [histogram.label, "interval", histogram.low, histogram.high, None],
        [histogram.label, "outside", None, None, histogram.outside],
    ]
