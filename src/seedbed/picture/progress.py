"""How far a search got: which keys mattered, the best so far, what more trials buy."""

from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from seedbed.picture.picture import Cell, Picture
from seedbed.picture.search import Trials, direction, legend, mark_at_the_edge
from seedbed.picture.style import FAINT, INK, figure, legend_below, look, rows_of, styled, svg


def importances(keys: Sequence[str], shares: Sequence[float], num_trials: int) -> Picture:
    """Each tuned key's share of the objective's variance, the largest on top.

    Args:
        keys: names.
        shares: 0 to 1, in the order of the keys.
        num_trials: finished ones that it was computed from.
    """
    ordered = sorted(zip(keys, shares, strict=True), key=lambda pair: (-pair[1], pair[0]))
    with styled("importances"):
        drawing, (axis,) = figure(0.8 + 0.32 * len(keys))
        axis.barh(range(len(keys)), [share for _, share in ordered], color=look(0).colour, height=0.6)
        rows_of(axis, [key for key, _ in ordered])
        axis.set_xlim(0, 1)
        axis.set_xlabel(f"share of the objective's variance (n = {num_trials} trials)")
        text = svg(drawing, "importances")
    caption = (
        "How much of the objective's variance over the searched space each key explains by itself and with"
        " others, by functional analysis of variance on a random forest (Hutter et al. 2014)."
    )
    rows: list[list[Cell]] = [[key, share, num_trials] for key, share in ordered]
    return Picture("importances", "Which keys mattered", caption, text, ["key", "share", "n"], rows)


class Orders(NamedTuple):
    """What the best so far would be, had the finished trials come in another order; NaN before the first.

    Args:
        low: lower end of the middle 95 % of all orders, one a trial.
        high: upper end.
    """

    low: Sequence[float]
    high: Sequence[float]


def best_so_far(trials: Trials, best: Sequence[float], orders: Orders) -> Picture:
    """Every trial's value, the best up to it, and the band of what chance in their order makes of it.

    Args:
        trials: in their order.
        best: best value up to each trial; NaN before the first.
        orders: the band.
    """
    with styled("best_so_far"):
        drawing, (axis,) = figure(3.0)
        for pruned, mark in ((True, "x"), (False, "o")):
            places = trials.shown(pruned=pruned)
            numbers = [trials.numbers[place] for place in places]
            heights = [trials.values[place] for place in places]
            axis.scatter(numbers, heights, color=look(0).colour, marker=mark, s=20, alpha=0.7, linewidths=1)
        mark_at_the_edge(axis, [float(trials.numbers[place]) for place in trials.at_the_edge()])
        axis.fill_between(
            trials.numbers, orders.low, orders.high, step="post", color=FAINT, alpha=0.25, linewidth=0
        )
        axis.step(trials.numbers, best, where="post", color=INK)
        axis.set_xlabel("trial")
        axis.set_ylabel(trials.objective)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        marks, labels = legend(trials)
        line, band = Line2D([], [], color=INK), Patch(color=FAINT, alpha=0.25, linewidth=0)
        legend_below(drawing, [*marks, line, band], [*labels, "best so far", "95 % of the orders"])
        text = svg(drawing, "best_so_far")
    caption = (
        "The band holds the best so far in the middle 95 % of all orders in which the same finished trials"
        " could have come, exactly, not by drawing some. A line inside it says no more than that good and"
        f" bad settings came in no particular order. It is no band over seeds. {direction(trials)}"
    )
    rows: list[list[Cell]] = [
        list(row) for row in zip(trials.numbers, trials.values, best, *orders, strict=True)
    ]
    columns = ["trial", trials.objective, "best_so_far", "low", "high"]
    return Picture("best_so_far", "Best so far", caption, text, columns, rows)


def expected_best(values: Sequence[float], objective: str) -> Picture:
    """Expected best value of k trials against k.

    Args:
        values: for k = 1, 2, ... trials.
        objective: name with unit.
    """
    numbers = range(1, len(values) + 1)
    with styled("expected_best"):
        drawing, (axis,) = figure(3.0)
        mark = "o" if len(values) <= 40 else ""
        label = f"expectation over n = {len(values)} finished trials"
        axis.plot(numbers, values, color=look(0).colour, marker=mark, markersize=3.5)
        axis.set_xlabel("number of trials")
        axis.set_ylabel(f"expected best {objective}")
        axis.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axis.grid(color=FAINT, alpha=0.25, linewidth=0.6)
        legend_below(drawing, axis.lines, [label])
        text = svg(drawing, "expected_best")
    caption = (
        "What the best of so many trials can be expected to reach on validation (Dodge et al. 2019): a curve"
        " that is still moving at its end says that the search was short. It takes trials as independent"
        " draws, which those of TPE, CMA-ES and NSGA-II are not: read it there as a summary of this search."
    )
    rows = [[number, value] for number, value in zip(numbers, values, strict=True)]
    columns = ["num_trials", objective]
    return Picture("expected_best", "What more trials buy", caption, text, columns, rows)


def trade_off(
    numbers: Sequence[int],
    values: Sequence[Sequence[float]],
    objectives: Sequence[str],
    lower_is_better: Sequence[bool],
) -> Picture:
    """Two objectives against each other, with the trials that no other beats in both.

    Args:
        numbers: of the trials.
        values: two lists, one value a trial in each.
        objectives: two names with units.
        lower_is_better: which way each improves.
    """
    front = _unbeaten(values, lower_is_better)
    with styled("trade_off"):
        drawing, (axis,) = figure(3.4)
        colour = look(0).colour
        axis.scatter(values[0], values[1], color=colour, s=20, alpha=0.5, linewidths=0)
        stairs = sorted((values[0][place], values[1][place]) for place in front)
        axis.plot(*zip(*stairs, strict=True), color=INK, marker="D", markersize=4, linewidth=0.8)
        axis.set_xlabel(objectives[0])
        axis.set_ylabel(objectives[1])
        handles = [Line2D([], [], color=colour, marker="o", linestyle="none"), axis.lines[0]]
        labels = [f"finished, n = {len(numbers)} trials", f"unbeaten, n = {len(front)}"]
        legend_below(drawing, handles, labels)
        text = svg(drawing, "trade_off")
    ways = " and ".join("lower" if lower else "higher" for lower in lower_is_better)
    caption = f"Better is {ways} (across and upwards). No trial beats one on the line in both objectives."
    rows: list[list[Cell]] = [
        [number, values[0][place], values[1][place], str(place in front).lower()]
        for place, number in enumerate(numbers)
    ]
    return Picture("trade_off", "Trade-off", caption, text, ["trial", *objectives, "unbeaten"], rows)


def _unbeaten(values: Sequence[Sequence[float]], lower_is_better: Sequence[bool]) -> list[int]:
    """Places of the trials that no other equals or beats in all objectives and beats in one."""
    ways = [
        [value if lower else -value for value in one]
        for one, lower in zip(values, lower_is_better, strict=True)
    ]
    points = list(zip(*ways, strict=True))
    return [
        place
        for place, point in enumerate(points)
        if not any(
            other != point and all(a <= b for a, b in zip(other, point, strict=True)) for other in points
        )
    ]
