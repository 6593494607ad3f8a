"""Settings side by side: every run as a dot, and what the runs cost."""

import statistics
from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from seedbed.picture.picture import Cell, Picture
from seedbed.picture.style import (
    FAINT,
    INK,
    figure,
    legend_below,
    legend_height,
    logarithmic,
    look,
    rows_of,
    styled,
    svg,
)

# How far the runs' dots lie from the line of their setting, in lines.
APART = 0.16


class Group(NamedTuple):
    """One setting.

    Args:
        label: what tells it apart.
        values: one a run.
        mean: of the values.
        low: lower end of the mean's interval, None where there is none.
        high: its upper end.
        seconds: CPU seconds of each run, in the order of the values; empty where they are not known.
    """

    label: str
    values: Sequence[float]
    mean: float
    low: float | None
    high: float | None
    seconds: Sequence[float] = ()


def distribution(groups: Sequence[Group], axis_label: str) -> Picture:
    """Every run of every setting as a dot, with median, mean and the mean's interval.

    Args:
        groups: at least one, each with at least one value.
        axis_label: the metric with its unit.
    """
    with styled("distribution"):
        drawing, (axis,) = figure(1.2 + 0.42 * len(groups))
        for place, group in enumerate(groups):
            _runs(axis, place, group)
        rows_of(axis, [f"{group.label}, n = {len(group.values)}" for group in groups])
        axis.set_xlabel(axis_label)
        dot = Line2D([], [], color=FAINT, marker="o", linestyle="none", markersize=5)
        bar = Line2D([], [], color=INK, marker="|", linestyle="none", markersize=9)
        mean = Line2D([], [], color=INK, marker="D", markersize=4)
        legend_below(drawing, [dot, bar, mean], ["a run", "median", "mean, 95 % interval"])
        text = svg(drawing, "distribution")
    caption = "Every run is a dot; the bar is the median, the diamond the mean with its 95 % interval."
    columns = ["setting", "n", "values", "median", "mean", "low", "high"]
    rows = [
        [
            group.label,
            len(group.values),
            " ".join(map(repr, group.values)),
            statistics.median(group.values),
            *group[2:5],
        ]
        for group in groups
    ]
    return Picture("distribution", "Distribution of each setting", caption, text, columns, rows)


def _runs(axis: Axes, place: int, group: Group) -> None:
    colour, mark, _ = look(place)
    values = sorted(group.values)
    # Equal values would hide one another: neighbours in order lie on different heights.
    heights = [place - APART + 0.07 * (index % 3 - 1) for index in range(len(values))]
    axis.scatter(values, heights, color=colour, marker=mark, s=22, alpha=0.75, linewidths=0)
    axis.plot([statistics.median(values)], [place - APART], "|", color=INK, markersize=13)
    if group.low is not None and group.high is not None:
        axis.plot([group.low, group.high], [place + APART] * 2, color=INK, linewidth=1.2)
    axis.plot([group.mean], [place + APART], "D", color=INK, markersize=4)


def cost(groups: Sequence[Group]) -> Picture:
    """CPU seconds: the sum of each setting's runs as a bar, written out.

    Args:
        groups: those with known seconds.
    """
    with styled("cost"):
        drawing, (axis,) = figure(0.9 + 0.32 * len(groups))
        totals = [sum(group.seconds) for group in groups]
        axis.barh(range(len(groups)), totals, color=look(0).colour, height=0.6)
        for place, total in enumerate(totals):
            axis.annotate(
                _seconds(total), (total, place), (4, 0), textcoords="offset points", va="center", color=INK
            )
        rows_of(axis, [f"{group.label}, n = {len(group.seconds)}" for group in groups])
        axis.set_xlim(0, max(totals) * 1.2 or 1)
        axis.set_xlabel("CPU seconds of training, all runs of the setting")
        text = svg(drawing, "cost")
    caption = "CPU seconds spent in training, summed over the runs of each setting."
    columns = ["setting", "n", "cpu_seconds", "cpu_seconds_a_run"]
    rows: list[list[Cell]] = [
        [group.label, len(group.seconds), total, total / len(group.seconds)]
        for group, total in zip(groups, totals, strict=True)
    ]
    return Picture("cost", "Cost of each setting", caption, text, columns, rows)


def _seconds(value: float) -> str:
    return f"{value:,.0f} s" if value >= 100 else f"{value:.3g} s"


def cost_against_metric(groups: Sequence[Group], axis_label: str) -> Picture:
    """What a run costs to the right, what it reaches upwards; one mark a run, a large one for the mean.

    Args:
        groups: those with known seconds, one for each value.
        axis_label: the metric with its unit.
    """
    name = "cost_against_metric"
    labels = [f"{group.label}, n = {len(group.values)}" for group in groups]
    with styled(name):
        drawing, (axis,) = figure(3.0 + legend_height(labels))
        for place, group in enumerate(groups):
            colour, mark, _ = look(place)
            axis.scatter(
                group.seconds, group.values, color=colour, marker=mark, s=16, alpha=0.6, linewidths=0
            )
            middle = statistics.fmean(group.seconds)
            axis.scatter([middle], [group.mean], color=colour, marker=mark, s=60, edgecolors=INK, zorder=3)
        logarithmic(axis)
        axis.set_xlabel("CPU seconds of training a run (logarithmic)")
        axis.set_ylabel(axis_label)
        axis.grid(color=FAINT, alpha=0.25, linewidth=0.6)
        handles = [_handle(place) for place in range(len(groups))]
        legend_below(drawing, handles, labels)
        text = svg(drawing, name)
    caption = "A small mark is one run; the large one is the mean of the setting's runs in both directions."
    rows: list[list[Cell]] = [
        [group.label, seconds, value]
        for group in groups
        for seconds, value in zip(group.seconds, group.values, strict=True)
    ]
    columns = ["setting", "cpu_seconds", "value"]
    return Picture(name, "Cost against the metric", caption, text, columns, rows)


def _handle(place: int) -> Line2D:
    colour, mark, _ = look(place)
    return Line2D([], [], color=colour, marker=mark, linestyle="none")
