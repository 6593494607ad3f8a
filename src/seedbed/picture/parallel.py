"""A search at a glance: one line a trial, across an axis for each tuned key, to what it reached."""

import math
from collections.abc import Sequence
from typing import Any

from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, MaxNLocator

from seedbed.picture.labels import shorten, shortened
from seedbed.picture.picture import Picture
from seedbed.picture.search import Slice, Trials, direction, table
from seedbed.picture.style import FAINT, PAPER, figure, legend_below, plain_logarithmic, styled, svg

# More axes than these have no room for their numbers.
MAX_KEYS = 8
# Both ends of the map would be swallowed by a page of that colour.
DARKEST, LIGHTEST = 0.15, 0.92
MAP = "cividis"  # made for the colour-blind (Nunez, Anderton and Renslow 2018)


def parallel_coordinates(trials: Trials, tuned: Sequence[Slice]) -> Picture:
    """A line a trial: its value of each tuned key from left to right, then the objective.

    Args:
        trials: at least one with a value.
        tuned: at least one; of more than `MAX_KEYS` the first are drawn.
    """
    name = "parallel_coordinates"
    shown = tuned[:MAX_KEYS]
    finished, pruned = trials.shown(pruned=False), trials.ended_early()
    with styled(name):
        drawing, (host,) = figure(3.6)
        axes = [_axis(host, place, len(shown)) for place in range(len(shown) + 1)]
        heights = [_key(axis, key, [*finished, *pruned]) for axis, key in zip(axes, shown, strict=False)]
        heights.append(_objective(axes[-1], trials))
        for axis in axes:
            _readable(axis)
        _lines(host, heights, trials)
        host.set_xticks(range(len(axes)), [*(_name(key) for key in shown), shorten(trials.objective, 26)])
        _slant(host, len(axes))
        legend_below(drawing, *_legend(len(finished), len(pruned)))
        text = svg(drawing, name)
    caption = (
        "A line is one setting that the search tried: from left to right its value of each tuned key, at"
        " last what it reached. The colour is its rank among the finished ones, not the distance between"
        f" them; broken lines were ended early. {direction(trials)}"
    )
    if len(tuned) > MAX_KEYS:
        caption += f" Shown are the first {MAX_KEYS} of {len(tuned)} keys; the table has all."
    return Picture(name, "Settings and what they reached", caption, text, *table(trials, tuned))


def _axis(host: Axes, place: int, num_keys: int) -> Axes:
    """A vertical axis at its place, from the bottom of the host to its top."""
    axis = host.twinx()
    axis.spines["right"].set_position(("axes", place / num_keys))
    axis.spines["right"].set_visible(True)
    axis.spines[["left", "bottom"]].set_visible(False)
    axis.tick_params(axis="y", labelsize="small", pad=2)
    return axis


def _key(axis: Axes, key: Slice, places: Sequence[int]) -> list[float]:
    """Gives the axis the key's scale; heights of all trials from 0 to 1, NaN where there is none."""
    known = key.words()
    across = [math.nan if value is None else key.across(place) for place, value in enumerate(key.values)]
    if known:
        axis.yaxis.set_major_locator(FixedLocator(range(len(known))))
        axis.set_yticklabels(shortened(known, 14))
        return _scaled(axis, across, (-0.3, len(known) - 0.7), logarithmic=False)
    found = [across[place] for place in places if math.isfinite(across[place])]
    return _scaled(axis, across, _padded(found, logarithmic=key.logarithmic), logarithmic=key.logarithmic)


def _objective(axis: Axes, trials: Trials) -> list[float]:
    found = [value for value in trials.values if math.isfinite(value)]
    return _scaled(axis, trials.values, _padded(found, logarithmic=False), logarithmic=False)


def _padded(values: Sequence[float], *, logarithmic: bool) -> tuple[float, float]:
    """Limits with a little room beyond the values, on the scale of the axis."""
    low, high = (min(values), max(values)) if values else (1.0, 1.0)
    if logarithmic:
        room = (high / low) ** 0.04 if high > low else 1.5
        return low / room, high * room
    room = 0.04 * (high - low) or 0.1 * abs(high) or 1.0
    return low - room, high + room


def _scaled(
    axis: Axes, values: Sequence[float], limits: tuple[float, float], *, logarithmic: bool
) -> list[float]:
    """Sets limits and ticks; where each value lies between them."""
    axis.set_ylim(limits)
    if logarithmic:
        axis.set_yscale("log")
        plain_logarithmic(axis.yaxis, limits)
    elif not isinstance(axis.yaxis.get_major_locator(), FixedLocator):
        axis.yaxis.set_major_locator(MaxNLocator(nbins=6))
    scale = math.log if logarithmic else float
    low, high = map(scale, limits)
    return [(scale(value) - low) / (high - low) if math.isfinite(value) else math.nan for value in values]


def _readable(axis: Axes) -> None:
    """Puts paper under the numbers, which lie across the lines."""
    for label in axis.get_yticklabels():
        label.set_bbox({"facecolor": PAPER, "edgecolor": "none", "alpha": 0.75, "pad": 0.6})


def _lines(host: Axes, heights: Sequence[Sequence[float]], trials: Trials) -> None:
    """Pruned trials below, then the finished ones, the best on top."""
    style: dict[str, Any] = {"marker": "o", "markersize": 2.5, "clip_on": False}
    for place in trials.ended_early():
        _line(host, heights, place, color=FAINT, alpha=0.5, linewidth=0.8, linestyle=(0, (3, 2)), **style)
    worst_first = sorted(
        trials.shown(pruned=False), key=lambda place: trials.values[place], reverse=trials.lower_is_better
    )
    for rank, place in enumerate(worst_first):
        share = rank / max(1, len(worst_first) - 1) if len(worst_first) > 1 else 1.0
        width = 2.2 if place == worst_first[-1] else 1.1
        _line(host, heights, place, color=shade(share), linewidth=width, **style)
    host.set_xlim(0, len(heights) - 1)
    host.set_ylim(0, 1)
    host.set_yticks([])
    host.spines["left"].set_visible(False)


def _line(host: Axes, heights: Sequence[Sequence[float]], place: int, **style: Any) -> None:
    host.plot(range(len(heights)), [one[place] for one in heights], **style)


def shade(share: float) -> Any:
    """Colour of the worst, 0, to the best, 1: the best is dark."""
    return colormaps[MAP](LIGHTEST - share * (LIGHTEST - DARKEST))


def _name(key: Slice) -> str:
    return shorten(key.key, 26) + ("\n(logarithmic)" if key.logarithmic else "")


def _slant(host: Axes, num_axes: int) -> None:
    """Names side by side where there is room for them, else slanted."""
    host.tick_params(axis="x", length=0, labelrotation=0 if num_axes <= 4 else 20)
    if num_axes > 4:
        for label in host.get_xticklabels():
            label.set_horizontalalignment("right")


def _legend(num_finished: int, num_pruned: int) -> tuple[list[Line2D], list[str]]:
    handles = [
        Line2D([], [], color=shade(1.0), linewidth=2.2),
        Line2D([], [], color=shade(0.0), linewidth=1.1),
    ]
    labels = [f"best of the finished, n = {num_finished} trials", "worst of them"]
    if num_pruned:
        handles.append(Line2D([], [], color=FAINT, linewidth=0.8, linestyle=(0, (3, 2))))
        labels.append(f"ended early, n = {num_pruned} trials")
    return handles, labels
