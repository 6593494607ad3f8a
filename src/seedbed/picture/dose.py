"""A yes or no against one measured quantity: every example, shares of groups, fitted curves."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from seedbed.picture.picture import Cell, Picture
from seedbed.picture.style import COLOURS, FAINT, INK, figure, legend_below, legend_height, look, styled, svg

HEIGHT = 3.2  # inches, without the legend
COLUMNS = ("what", "dose", "to", "value", "low", "high", "n")
# How far outside 0 and 1 the examples lie; neighbours in order lie on three lines, so none hides another.
OUTSIDE, APART = 0.05, 0.035
DOTTED: dict[str, Any] = {"color": FAINT, "linewidth": 0.8, "linestyle": (0, (2, 2)), "zorder": 0}
# Curves that cross one another need more than a colour: a dash each.
DASHES: tuple[Any, ...] = (
    "-",
    (0, (5, 1.5)),
    (0, (1.5, 1.2)),
    (0, (7, 1.5, 1.5, 1.5)),
    (0, (9, 3)),
    (0, (3, 3)),
)


class Words(NamedTuple):
    """What the axes say.

    Args:
        dose: the quantity with its unit.
        outcome: what is true or not.
    """

    dose: str
    outcome: str


class Dots(NamedTuple):
    """Every example: its dose, and 1 where the outcome is true, else 0."""

    doses: Sequence[float]
    outcomes: Sequence[int]


class Share(NamedTuple):
    """Examples of neighbouring doses taken together.

    Args:
        first: dose where the group begins.
        last: dose where it ends.
        num_true: examples with the outcome.
        num: all its examples.
        value: share with the outcome, or its log odds; infinite where there are none.
        low: lower end of its interval, in the same unit.
        high: upper end.
    """

    first: float
    last: float
    num_true: int
    num: int
    value: float
    low: float
    high: float

    @property
    def middle(self) -> float:
        """Where the group is drawn."""
        return (self.first + self.last) / 2


class Curve(NamedTuple):
    """Values at doses, with the ends of a pointwise interval; empty ends where there is none."""

    label: str
    doses: Sequence[float]
    values: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()


class Crossing(NamedTuple):
    """The dose at which both outcomes are equally probable, with its interval."""

    dose: float
    low: float
    high: float


def dose_response(
    dots: Dots, shares: Sequence[Share], curve: Curve, crossing: Crossing, words: Words
) -> Picture:
    """Every example, the groups' shares with their intervals, the fitted curve with its band.

    Args:
        dots: at least one example.
        shares: groups of them, in order of dose.
        curve: fitted probabilities, with a band.
        crossing: where the curve is one half.
        words: of the axes.
    """
    name = "dose_response"
    labels = [
        f"an example, n = {len(dots.doses)}",
        f"{curve.label}, 95 % band",
        "share of a group, 95 % interval",
        f"even odds at {crossing.dose:.1f} [{crossing.low:.1f}, {crossing.high:.1f}]",
    ]
    with styled(name):
        drawing, axis = _axes(labels, words)
        _draw_dots(axis, dots)
        _draw_curve(axis, curve, 0)
        for share in shares:
            _draw_share(axis, share)
        axis.axhline(0.5, **DOTTED)
        axis.axvline(crossing.dose, **DOTTED)
        axis.plot(crossing[1:], [0.5, 0.5], color=INK, linewidth=1.4, zorder=4)
        axis.plot([crossing.dose], [0.5], "D", color=INK, markersize=5, zorder=5)
        legend_below(drawing, [_dot(), _line(0), _square(), Line2D([], [], color=INK, marker="D")], labels)
        text = svg(drawing, name)
    caption = (
        "A dot is one example, above 1 with the outcome and below 0 without it. A square is the share of a"
        " group of neighbouring doses with its counts and its 95 % Wilson interval. The curve is the fitted"
        " probability with its pointwise 95 % band (delta method on the log odds); the diamond is where it"
        " is one half, with Fieller's interval."
    )
    found: list[Cell] = ["even odds", crossing.dose, None, 0.5, crossing.low, crossing.high, None]
    rows = [*_dot_rows(dots), *map(_share_row, shares), *_curve_rows(curve), found]
    return Picture(name, "Every example, groups and the fitted curve", caption, text, COLUMNS, rows)


def straight_line(dots: Dots, curve: Curve, line: Curve, words: Words) -> Picture:
    """The fitted curve beside a straight line, which leaves 0 to 1.

    Args:
        dots: at least one example.
        curve: fitted probabilities.
        line: of least squares.
        words: of the axes.
    """
    name = "straight_line"
    labels = [f"an example, n = {len(dots.doses)}", curve.label, line.label]
    with styled(name):
        drawing, axis = _axes(labels, words)
        low, high = min(*line.values, -0.15) - 0.05, max(*line.values, 1.15) + 0.05
        for ends in ((low, 0), (1, high)):
            axis.axhspan(*ends, color=FAINT, alpha=0.16, linewidth=0)
        _draw_dots(axis, dots)
        _draw_curve(axis, curve._replace(low=(), high=()), 0)
        _draw_curve(axis, line, 1)
        axis.set_ylim(low, high)
        legend_below(drawing, [_dot(), _line(0), _line(1)], labels)
        text = svg(drawing, name)
    caption = (
        "A straight line fitted to zeros and ones leaves the range of a probability at both ends, into the"
        " grey; the sigmoid cannot."
    )
    rows = [*_dot_rows(dots), *_curve_rows(curve), *_curve_rows(line)]
    return Picture(name, "A straight line is no probability", caption, text, COLUMNS, rows)


def log_odds(shares: Sequence[Share], curve: Curve, words: Words) -> Picture:
    """The fitted log odds, a straight line, beside those of the groups.

    Args:
        shares: their values and ends are log odds, infinite for a group all of one outcome.
        curve: fitted log odds, with a band.
        words: of the axes.
    """
    name = "log_odds"
    num = sum(share.num for share in shares)
    labels = [
        f"{curve.label}, 95 % band, n = {num}",
        "log odds of a group, 95 % interval",
    ]
    with styled(name):
        drawing, (axis,) = figure(HEIGHT + legend_height(labels))
        axis.axhline(0, **DOTTED)
        _draw_curve(axis, curve, 0)
        reach = 1.25 * max(abs(value) for value in curve.values)
        axis.set_ylim(-reach, reach)
        for share in shares:
            _draw_log_odds(axis, share, 0.97 * reach)
        axis.set_xlabel(words.dose)
        axis.set_ylabel(f"log odds of {words.outcome} (nats)")
        legend_below(drawing, [_line(0), _square()], labels)
        text = svg(drawing, name)
    caption = (
        "In log odds the fitted curve is a straight line. A square is a group's log odds with Wilson's 95 %"
        " interval on that scale; a group all of one outcome has infinite ones: an arrow from the finite"
        " end of its interval."
    )
    rows = [*map(_share_row, shares), *_curve_rows(curve)]
    return Picture(name, "Log odds are linear", caption, text, COLUMNS, rows)


def fitted_curves(dots: Dots, curves: Sequence[Curve], words: Words) -> Picture:
    """Several fitted curves over the same examples.

    Args:
        dots: at least one example.
        curves: fitted probabilities, six at most.
        words: of the axes.
    """
    name = "fitted_curves"
    labels = [f"an example, n = {len(dots.doses)}", *(curve.label for curve in curves)]
    with styled(name):
        drawing, axis = _axes(labels, words)
        _draw_dots(axis, dots)
        for index, curve in enumerate(curves):
            _draw_curve(axis, curve, index)
        legend_below(drawing, [_dot(), *(_line(index) for index in range(len(curves)))], labels)
        text = svg(drawing, name)
    caption = "A dot is one example, a line the probability that one model fits to all of them."
    rows = [*_dot_rows(dots), *(row for curve in curves for row in _curve_rows(curve))]
    return Picture(name, "Fitted curves", caption, text, COLUMNS, rows)


def _axes(labels: Sequence[str], words: Words) -> tuple[Figure, Axes]:
    """Axes for probabilities, with room for the examples above and below them."""
    drawing, (axis,) = figure(HEIGHT + legend_height(labels))
    for level in (0, 1):
        axis.axhline(level, color=FAINT, linewidth=0.7, zorder=0)
    axis.set_ylim(-0.2, 1.2)
    axis.set_yticks((0, 0.25, 0.5, 0.75, 1))
    axis.set_xlabel(words.dose)
    axis.set_ylabel(f"probability of {words.outcome}")
    return drawing, axis


def _draw_dots(axis: Axes, dots: Dots) -> None:
    away = [OUTSIDE + APART * (place % 3) for place in range(len(dots.doses))]
    heights = [1 + out if true else -out for true, out in zip(dots.outcomes, away, strict=True)]
    axis.scatter(dots.doses, heights, color=INK, s=15, alpha=0.65, linewidths=0, zorder=3)


def _draw_curve(axis: Axes, curve: Curve, index: int) -> None:
    colour = COLOURS[index]
    if curve.low:
        axis.fill_between(curve.doses, curve.low, curve.high, color=colour, alpha=0.18, linewidth=0)
    axis.plot(curve.doses, curve.values, color=colour, linestyle=DASHES[index])


def _draw_share(axis: Axes, share: Share) -> None:
    colour = look(1).colour
    axis.plot([share.middle] * 2, [share.low, share.high], color=colour, linewidth=1.1)
    axis.plot([share.middle], [share.value], "s", color=colour, markersize=5)
    _count(axis, share, share.value)


def _count(axis: Axes, share: Share, height: float) -> None:
    """The counts beside the mark, clear of the lines at 0 and 1 that shares alone can lie on."""
    aside = (5, {0.0: 7, 1.0: -7}.get(height, 0))
    told = f"{share.num_true}/{share.num}"
    axis.annotate(told, (share.middle, height), aside, textcoords="offset points", va="center")


def _draw_log_odds(axis: Axes, share: Share, reach: float) -> None:
    if math.isfinite(share.value):
        _draw_share(axis, share)
        return
    end, tip = (share.low, reach) if share.value > 0 else (share.high, -reach)
    colour = look(1).colour
    arrow = {"arrowstyle": "->", "color": colour, "linewidth": 1.1, "shrinkA": 0, "shrinkB": 0}
    axis.annotate("", (share.middle, tip), (share.middle, end), arrowprops=arrow)
    axis.plot([share.middle], [end], "_", color=colour, markersize=7)
    _count(axis, share, (end + tip) / 2)


def _dot() -> Line2D:
    return Line2D([], [], color=INK, marker="o", markersize=4, alpha=0.65, linestyle="none")


def _square() -> Line2D:
    return Line2D([], [], color=look(1).colour, marker="s", markersize=5, linewidth=1.1)


def _line(index: int) -> Line2D:
    return Line2D([], [], color=COLOURS[index], linestyle=DASHES[index])


def _dot_rows(dots: Dots) -> list[list[Cell]]:
    return [
        ["example", dose, None, outcome, None, None, None]
        for dose, outcome in zip(dots.doses, dots.outcomes, strict=True)
    ]


def _share_row(share: Share) -> list[Cell]:
    ends = [value if math.isfinite(value) else None for value in share[4:7]]
    return [f"group of {share.num_true} in {share.num}", share.first, share.last, *ends, share.num]


def _curve_rows(curve: Curve) -> list[list[Cell]]:
    nothing = [None] * len(curve.doses)
    ends = zip(curve.low or nothing, curve.high or nothing, strict=True)
    return [
        [curve.label, dose, None, value, low, high, None]
        for dose, value, (low, high) in zip(curve.doses, curve.values, ends, strict=True)
    ]
