"""Odds ratios as a forest: a line a column, one in the middle."""

from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from seedbed.picture.labels import shorten
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

APART = 0.13


class OddsRatio(NamedTuple):
    """How the odds of class 1 change with one more unit of a column.

    Args:
        name: of the column.
        value: factor of the odds.
        wald_low: lower end of Wald's 95 % interval.
        wald_high: upper end.
        profile_low: lower end of the profile likelihood's.
        profile_high: upper end.
    """

    name: str
    value: float
    wald_low: float
    wald_high: float
    profile_low: float
    profile_high: float


def odds_ratios(ratios: Sequence[OddsRatio], positive: str, num_examples: int) -> Picture:
    """A dot with two intervals a column, on a logarithmic axis.

    Args:
        ratios: at least one.
        positive: name of the class whose odds they are.
        num_examples: that the model was fitted on.
    """
    name = "odds_ratios"
    labels = ["profile likelihood, 95 %", "Wald, 95 %"]
    with styled(name):
        drawing, (axis,) = figure(1.3 + 0.36 * len(ratios) + legend_height(labels))
        for place, one in enumerate(ratios):
            _line(axis, place, one)
        rows_of(axis, [one.name for one in ratios])
        logarithmic(axis)
        axis.axvline(1, color=FAINT, linewidth=1, zorder=0)
        axis.set_xlabel("odds ratio for one more unit of the column (logarithmic)")
        axis.set_title(f"odds of {shorten(positive)}, fitted on n = {num_examples:,} examples")
        legend_below(drawing, [_handle(0), _handle(1)], labels)
        text = svg(drawing, name)
    caption = (
        f"By how much the odds of {positive} are multiplied when a column grows by one of its own units and"
        " the others stay. An interval that leaves out 1 is one in which the direction is clear. Wald's"
        " interval is symmetric on this axis; the profile likelihood's follows the fit and is the better one"
        " where they differ."
    )
    rows: list[list[Cell]] = [list(one) for one in ratios]
    return Picture(name, "Odds ratios", caption, text, list(OddsRatio._fields), rows)


def _line(axis: Axes, place: int, one: OddsRatio) -> None:
    axis.plot([one.profile_low, one.profile_high], [place] * 2, color=look(0).colour, linewidth=2)
    axis.plot([one.value], [place], "D", color=INK, markersize=4.5, zorder=3)
    low = place + APART * 2
    axis.plot([one.wald_low, one.wald_high], [low] * 2, color=look(1).colour, linewidth=1, linestyle="--")


def _handle(place: int) -> Line2D:
    if place:
        return Line2D([], [], color=look(1).colour, linewidth=1, linestyle="--")
    line = Line2D([], [], color=look(0).colour, linewidth=2, marker="D", markersize=4.5)
    line.set(markeredgecolor=INK, markerfacecolor=INK)
    return line
