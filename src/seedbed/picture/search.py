"""A search: what each hyper-parameter did, which mattered, and what more trials bought."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from seedbed.picture.labels import shorten, shortened
from seedbed.picture.picture import Cell, Picture
from seedbed.picture.style import WIDTH, figure, legend_below, logarithmic, look, styled, svg

NUM_COLUMNS = 3


class Trials(NamedTuple):
    """The settings that a search tried.

    Args:
        numbers: of the trials, from 0.
        values: of the objective; NaN where a trial has none.
        pruned: whether it was ended early.
        objective: name with unit.
        lower_is_better: which way it improves.
    """

    numbers: Sequence[int]
    values: Sequence[float]
    pruned: Sequence[bool]
    objective: str
    lower_is_better: bool

    def shown(self, *, pruned: bool) -> list[int]:
        """Places of the trials that have a value and were, or were not, ended early."""
        return [
            place
            for place, value in enumerate(self.values)
            if math.isfinite(value) and self.pruned[place] == pruned
        ]

    def at_the_edge(self) -> list[int]:
        """Places of the trials that were ended early and have no value."""
        return [
            place
            for place, value in enumerate(self.values)
            if self.pruned[place] and not math.isfinite(value)
        ]

    def ended_early(self) -> list[int]:
        """Places of the trials that were ended early, with a value or without."""
        return [place for place, pruned in enumerate(self.pruned) if pruned]


class Slice(NamedTuple):
    """One tuned key: its value in each trial, numbers or words, None where a trial had none."""

    key: str
    values: Sequence[float | str | None]
    logarithmic: bool

    def words(self) -> list[str]:
        """The different values where any is a word, numbers in their order; none where all are numbers."""
        if all(value is None or isinstance(value, int | float) for value in self.values):
            return []
        return sorted({str(value) for value in self.values if value is not None}, key=_by_size)

    def across(self, place: int) -> float:
        """Where trial `place` lies on the horizontal axis."""
        known, value = self.words(), self.values[place]
        return float(known.index(str(value)) if known else value or 0)


def _by_size(word: str) -> tuple[float, str]:
    """Numbers by their size, then words by their letters."""
    try:
        return float(word), word
    except ValueError:
        return math.inf, word


def slices(trials: Trials, tuned: Sequence[Slice]) -> Picture:
    """One axes a tuned key: its value to the right, the objective upwards.

    Args:
        trials: at least one with a value.
        tuned: at least one.
    """
    num_columns = min(NUM_COLUMNS, len(tuned))
    num_rows = -(-len(tuned) // num_columns)
    width = WIDTH * (1 + num_columns) / (1 + NUM_COLUMNS)
    with styled("slices"):
        drawing, axes = figure(0.6 + 2.3 * num_rows, num_rows, num_columns, width)
        for place, (axis, key) in enumerate(zip(axes, tuned, strict=False)):
            _slice(axis, trials, key, num_columns)
            if place % num_columns:
                axis.tick_params(labelleft=False)
            else:
                axis.set_ylabel(trials.objective)
        for axis in axes[len(tuned) :]:
            axis.set_axis_off()
        _share_heights(axes[: len(tuned)])
        legend_below(drawing, *legend(trials))
        text = svg(drawing, "slices")
    caption = (
        "A mark is one setting that the search tried; darker came later. A cross was ended early: it"
        " stands at the value it had then, or at the upper edge where that is not known. " + direction(trials)
    )
    return Picture("slices", "What each tuned key did", caption, text, *table(trials, tuned))


def table(trials: Trials, tuned: Sequence[Slice]) -> tuple[list[str], list[list[Cell]]]:
    """Names of the columns, and a row a trial: what it reached, and its value of each tuned key."""
    columns = ["trial", "pruned", trials.objective, *(key.key for key in tuned)]
    rows: list[list[Cell]] = [
        [
            number,
            str(trials.pruned[place]).lower(),
            trials.values[place],
            *(key.values[place] for key in tuned),
        ]
        for place, number in enumerate(trials.numbers)
    ]
    return columns, rows


def _slice(axis: Axes, trials: Trials, key: Slice, num_columns: int) -> None:
    known = key.words()
    for pruned, mark in ((True, "x"), (False, "o")):
        places = [place for place in trials.shown(pruned=pruned) if key.values[place] is not None]
        shades = [to_rgba(look(0).colour, _shade(trials, place)) for place in places]
        heights = [trials.values[place] for place in places]
        axis.scatter([key.across(place) for place in places], heights, color=shades, marker=mark, s=24)
    mark_at_the_edge(axis, [key.across(p) for p in trials.at_the_edge() if key.values[p] is not None])
    axis.set_xlabel(shorten(key.key, 30) + (" (logarithmic)" if key.logarithmic else ""))
    if known:
        axis.set_xticks(range(len(known)), shortened(known, 14))
        axis.tick_params(axis="x", labelrotation=25 if len(known) > 2 else 0)
        axis.set_xlim(-0.5, len(known) - 0.5)
    elif key.logarithmic:
        logarithmic(axis, max(2, num_columns))  # alone it is half as wide as a page
    else:
        axis.xaxis.set_major_locator(MaxNLocator(nbins=4))


def mark_at_the_edge(axis: Axes, across: Sequence[float]) -> None:
    """Crosses at the top for trials that were ended early and have no value."""
    above = axis.get_xaxis_transform()
    colour = look(0).colour
    # Not a scatter: that would not widen the axis to where these trials lie.
    axis.plot(across, [0.98] * len(across), "x", color=colour, alpha=0.5, markersize=4.5, transform=above)


def _shade(trials: Trials, place: int) -> float:
    """0.35 for the first trial to 1 for the last."""
    return 0.35 + 0.65 * trials.numbers[place] / max(1, *trials.numbers)


def _share_heights(axes: Sequence[Axes]) -> None:
    low, high = min(axis.get_ylim()[0] for axis in axes), max(axis.get_ylim()[1] for axis in axes)
    for axis in axes:
        axis.set_ylim(low, high)


def legend(trials: Trials) -> tuple[list[Line2D], list[str]]:
    handles, labels = [], []
    for pruned, mark, word in ((False, "o", "finished"), (True, "x", "ended early")):
        count = len(trials.shown(pruned=pruned)) + pruned * len(trials.at_the_edge())
        if count:
            handles.append(Line2D([], [], color=look(0).colour, marker=mark, linestyle="none", markersize=5))
            labels.append(f"{word}, n = {count} trials")
    return handles, labels


def direction(trials: Trials) -> str:
    return "Lower is better." if trials.lower_is_better else "Higher is better."
