"""Learning curves: a thin line a run, the mean, its band."""

from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from seedbed.picture.labels import shorten
from seedbed.picture.picture import Cell, Picture
from seedbed.picture.style import figure, legend_below, legend_height, look, styled, svg

CAPTION = (
    "A thin line is one run, the thick line the mean of a setting's runs; it ends where the first of them"
    " ended."
)
CUT = (
    "A band that leaves the axes goes on: the runs are too few to say where the mean lies; the table has it."
)


class Line(NamedTuple):
    """One run: values at steps, both of the same length."""

    run: str
    steps: Sequence[int]
    values: Sequence[float]


class Mean(NamedTuple):
    """Mean over the runs at steps, with the ends of its interval; NaN where there is none."""

    steps: Sequence[int]
    values: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]


class Curve(NamedTuple):
    """One setting: its runs, their mean, and in words what its interval is; empty where there is none."""

    label: str
    lines: Sequence[Line]
    mean: Mean
    interval: str = ""


class Panel(NamedTuple):
    """One metric: its name with the unit, its short name, a curve a setting."""

    label: str
    metric: str
    curves: Sequence[Curve]


def learning_curves(panels: Sequence[Panel]) -> Picture:
    """One axes a metric, side by side, with epochs to the right.

    Args:
        panels: one or two, each with the same settings in the same order.
    """
    with styled("learning_curves"):
        labels = [f"{curve.label}, n = {len(curve.lines)}" for curve in panels[0].curves]
        drawing, axes = figure(2.9 + legend_height(labels), 1, len(panels))
        for axis, panel in zip(axes, panels, strict=True):
            _draw(axis, panel)
        handles = [_handle(index) for index in range(len(labels))]
        legend_below(drawing, handles, labels)
        text = svg(drawing, "learning_curves")
    columns = ["metric", "setting", "run", "epoch", "value", "low", "high"]
    rows = [row for panel in panels for curve in panel.curves for row in _rows(panel.metric, curve)]
    caption = f"{CAPTION} {_told(panels[0].curves)}".rstrip()
    if any(map(_is_cut, panels)):
        caption += f" {CUT}"
    return Picture("learning_curves", "Learning curves", caption, text, columns, rows)


def _told(curves: Sequence[Curve]) -> str:
    """What the bands are, and of which settings where they are of several kinds."""
    kinds: dict[str, list[str]] = {}
    for curve in curves:
        kinds.setdefault(curve.interval, []).append(curve.label)
    bands = {kind: labels for kind, labels in kinds.items() if kind}
    if len(kinds) == 1:
        return "".join(f"The band is the 95 % interval of the mean at each epoch, {kind}." for kind in bands)
    return " ".join(
        f"The band of {', '.join(shorten(label) for label in labels)} is the 95 % interval of the mean at"
        f" each epoch, {kind}."
        for kind, labels in bands.items()
    )


def _draw(axis: Axes, panel: Panel) -> None:
    for index, curve in enumerate(panel.curves):
        colour, _, dash = look(index)
        for line in curve.lines:
            axis.plot(line.steps, line.values, color=colour, linewidth=0.6, alpha=0.45, linestyle=dash)
        mean = curve.mean
        axis.fill_between(mean.steps, mean.low, mean.high, color=colour, alpha=0.15, linewidth=0)
        lone = "o" if len(mean.steps) == 1 else ""  # a line of one point is none
        axis.plot(mean.steps, mean.values, color=colour, linestyle=dash, marker=lone, markersize=4)
    axis.set_xlabel("epoch")
    low, high = axis.get_xlim()
    if high - low < 1:  # a single epoch
        axis.set_xlim(low - 0.5, high + 0.5)
    axis.set_ylabel(panel.label)
    low, high = axis.get_ylim()
    lowest, highest = _room(panel)
    axis.set_ylim(max(low, lowest), min(high, highest))
    axis.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1, nbins=7))


def _room(panel: Panel) -> tuple[float, float]:
    """As far as bands are shown: the interval of two runs can be 13 times as wide as they are apart."""
    values = [value for curve in panel.curves for line in curve.lines for value in line.values]
    low, high = min(values), max(values)
    span = high - low or abs(high) or 1.0
    return low - span, high + span


def _is_cut(panel: Panel) -> bool:
    """Whether a band goes beyond that."""
    lowest, highest = _room(panel)
    means = [curve.mean for curve in panel.curves]
    return any(low < lowest for mean in means for low in mean.low) or any(
        high > highest for mean in means for high in mean.high
    )


def _handle(index: int) -> Line2D:
    colour, _, dash = look(index)
    return Line2D([], [], color=colour, linestyle=dash)


def _rows(metric: str, curve: Curve) -> list[list[Cell]]:
    rows: list[list[Cell]] = [
        [metric, curve.label, line.run, step, value, None, None]
        for line in curve.lines
        for step, value in zip(line.steps, line.values, strict=True)
    ]
    mean = curve.mean
    for step, value, low, high in zip(*mean, strict=True):
        rows.append([metric, curve.label, "mean", step, value, low, high])
    return rows
