"""Two settings against each other: partners joined, and the differences on an axis of their own."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from seedbed.picture.labels import MAX_LABEL, shortened, unit_of
from seedbed.picture.picture import Cell, Picture
from seedbed.picture.style import FAINT, INK, WIDTH, figure, legend_below, look, rows_of, styled, svg

APART = 0.14
NUM_COLUMNS = 3
SHORT = 10  # letters of a name that fits under the axes


class Pair(NamedTuple):
    """Setting `first` against setting `second`.

    Args:
        first: label.
        second: label.
        first_values: one a run.
        second_values: one a run; partners in the same place where paired.
        paired: whether they are partners.
        difference: of the means, first minus second.
        low: lower end of its interval, None where there is none.
        high: upper end.
    """

    first: str
    second: str
    first_values: Sequence[float]
    second_values: Sequence[float]
    paired: bool
    difference: float
    low: float | None
    high: float | None

    @property
    def differences(self) -> list[float]:
        """One a pair of partners; none where the runs are not partners."""
        if not self.paired:
            return []
        return [a - b for a, b in zip(self.first_values, self.second_values, strict=True)]

    @property
    def size(self) -> str:
        """How many runs stand behind it."""
        if self.paired:
            return f"n = {len(self.first_values)} pairs"
        return f"n = {len(self.first_values)} and {len(self.second_values)}"


def differences(pairs: Sequence[Pair], axis_label: str) -> Picture:
    """One line a pair of settings: each pair of runs as a dot, the mean with its interval, and zero.

    Args:
        pairs: at least one.
        axis_label: the metric with its unit.
    """
    with styled("differences"):
        drawing, (axis,) = figure(1.3 + 0.42 * len(pairs))
        axis.axvline(0, color=FAINT, linewidth=1)
        for place, pair in enumerate(pairs):
            _difference(axis, place, pair)
        short = _short(pairs, MAX_LABEL // 2)
        names = [f"{short[pair.first]} minus {short[pair.second]}\n{pair.size}" for pair in pairs]
        rows_of(axis, names)
        axis.set_yticks(range(len(pairs)), names)  # two lines each
        axis.xaxis.set_major_locator(MaxNLocator(nbins=5))
        axis.set_xlabel(f"difference in {axis_label}")
        dot = Line2D([], [], color=look(0).colour, marker="o", linestyle="none", markersize=5)
        mean = Line2D([], [], color=INK, marker="D", markersize=4)
        legend_below(drawing, [dot, mean], ["a pair of runs", "difference of the means, 95 % interval"])
        text = svg(drawing, "differences")
    caption = (
        "Each line is one setting minus another. A dot is one pair of runs that share their split and their"
        " order of examples; runs without a partner have no dots. An interval that leaves out zero is one"
        " that one comparison alone would call a difference; the verdicts are corrected for their number."
    )
    columns = ["first", "second", "paired", "n_first", "n_second", "differences", "difference", "low", "high"]
    rows: list[list[Cell]] = [
        [
            pair.first,
            pair.second,
            str(pair.paired).lower(),
            len(pair.first_values),
            len(pair.second_values),
            " ".join(map(repr, pair.differences)),
            pair.difference,
            pair.low,
            pair.high,
        ]
        for pair in pairs
    ]
    return Picture("differences", "Differences between settings", caption, text, columns, rows)


def _difference(axis: Axes, place: int, pair: Pair) -> None:
    values = sorted(pair.differences)
    heights = [place - APART + 0.07 * (index % 3 - 1) for index in range(len(values))]
    axis.scatter(values, heights, color=look(0).colour, s=22, alpha=0.75, linewidths=0)
    if pair.low is not None and pair.high is not None:
        axis.plot([pair.low, pair.high], [place + APART] * 2, color=INK, linewidth=1.2)
    axis.plot([pair.difference], [place + APART], "D", color=INK, markersize=4)


def paired_dots(pairs: Sequence[Pair], axis_label: str) -> Picture:
    """An axes a pair: the runs of both settings, partners joined, and the difference to the right.

    Args:
        pairs: one to six.
        axis_label: the metric with its unit.
    """
    num_columns = min(NUM_COLUMNS, len(pairs))
    num_rows = -(-len(pairs) // num_columns)
    width = WIDTH * (1 + num_columns) / (1 + NUM_COLUMNS)
    with styled("paired_dots"):
        drawing, axes = figure(2.9 * num_rows, num_rows, num_columns, width)
        for axis, pair in zip(axes, pairs, strict=False):
            _estimation(axis, pair, f"difference {unit_of(axis_label)}".rstrip())
            _name(axis, pair, _short(pairs, 24))
        for axis in axes[len(pairs) :]:
            axis.set_axis_off()
        drawing.supylabel(axis_label, fontsize="medium")
        text = svg(drawing, "paired_dots")
    caption = (
        "Left axis: every run of the two settings, a line between partners (same split, same order of"
        " examples). Right axis, in the same unit: the first setting's mean minus the second's, with its"
        " 95 % interval; zero stands at the second's mean."
    )
    rows: list[list[Cell]] = [row for pair in pairs for row in _rows(pair)]
    columns = ["first", "second", "setting", "place", "value"]
    return Picture("paired_dots", "Pairs of runs", caption, text, columns, rows)


def _estimation(axis: Axes, pair: Pair, label: str) -> None:
    """A Gardner-Altman plot: both settings, and their difference on a shifted axis with this label.

    Source: Gardner and Altman 1986; Ho et al. 2019.
    """
    for place, (values, index) in enumerate(((pair.second_values, 1), (pair.first_values, 0))):
        colour, mark, _ = look(index)
        axis.scatter([place] * len(values), values, color=colour, marker=mark, s=20, alpha=0.8, linewidths=0)
    if pair.paired:
        for ends in zip(pair.second_values, pair.first_values, strict=True):
            axis.plot((0, 1), ends, color=FAINT, linewidth=0.7, zorder=0)
    zero = sum(pair.second_values) / len(pair.second_values)
    top = zero + pair.difference
    axis.hlines([zero, top], [0, 1], [2.4, 2.4], color=FAINT, linewidth=0.6, linestyle=(0, (2, 2)))
    if pair.low is not None and pair.high is not None:
        axis.plot((2, 2), (zero + pair.low, zero + pair.high), color=INK, linewidth=1.4)
    axis.plot([2], [top], "D", color=INK, markersize=5)
    shift: Any = (lambda y: y - zero, lambda y: y + zero)
    right = axis.secondary_yaxis("right", functions=shift)
    right.yaxis.set_major_locator(MaxNLocator(nbins=6))
    right.set_ylabel(label)


def _short(pairs: Sequence[Pair], limit: int) -> dict[str, str]:
    """Each setting's name in at most `limit` characters."""
    names = list(dict.fromkeys(name for pair in pairs for name in (pair.first, pair.second)))
    return dict(zip(names, shortened(names, limit), strict=True))


def _name(axis: Axes, pair: Pair, short: Mapping[str, str]) -> None:
    """Short names under the axes, long ones above them."""
    names, title = [pair.second, pair.first], pair.size
    if max(map(len, names)) > SHORT:
        names = ["second", "first"]
        title = f"{short[pair.first]}\nminus {short[pair.second]}\n{pair.size}"
    axis.set_xticks((0, 1, 2), [*names, "difference"])
    axis.tick_params(axis="x", labelrotation=20)
    axis.set_xlim(-0.4, 2.4)
    axis.set_title(title)


def _rows(pair: Pair) -> list[list[Cell]]:
    return [
        [pair.first, pair.second, name, place, value]
        for name, values in ((pair.first, pair.first_values), (pair.second, pair.second_values))
        for place, value in enumerate(values)
    ]
