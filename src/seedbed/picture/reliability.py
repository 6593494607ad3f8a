"""Is what is said with 80 % confidence right 8 times in 10? One dot a bin of confidence."""

from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from seedbed.picture.picture import Cell, Picture
from seedbed.picture.style import FAINT, INK, figure, legend_below, legend_height, look, styled, svg


class Bin(NamedTuple):
    """The examples whose confidence lies in (low, high].

    Args:
        low: end of the bin.
        high: its other end.
        num_examples: in it.
        confidence: mean probability of the predicted class; None without an example.
        accuracy: share that is right; None without an example.
        accuracy_low: lower end of its 95 % interval; None without an example.
        accuracy_high: upper end.
    """

    low: float
    high: float
    num_examples: int
    confidence: float | None
    accuracy: float | None
    accuracy_low: float | None
    accuracy_high: float | None


def reliability(bins: Sequence[Bin], error: float, split: str) -> Picture:
    """Accuracy against confidence, above the number of examples in each bin.

    Args:
        bins: of equal width, from 0 to 1.
        error: expected calibration error, as the metrics have it.
        split: whose examples they are.
    """
    name, total = "reliability", sum(one.num_examples for one in bins)
    labels = ["accuracy in a bin, 95 % interval (Wilson)", "as sure as right"]
    with styled(name):
        drawing, (above, below) = figure(4.9 + legend_height(labels), 2, 1, width=5.2)
        above.get_subplotspec().get_gridspec().set_height_ratios([2.3, 1])  # type: ignore[union-attr]
        _dots(above, bins)
        _counts(below, bins)
        above.set_title(f"{split}, n = {total:,} examples, ECE = {error:.4f}")
        dot = Line2D([], [], color=look(0).colour, marker="o", markersize=5, linewidth=1.2)
        line = Line2D([], [], color=FAINT, linestyle="--", linewidth=1)
        legend_below(drawing, [dot, line], labels)
        text = svg(drawing, name)
    caption = (
        f"Each dot is one of {len(bins)} bins of equal width, at the mean confidence of its examples; the"
        " grey strip is its distance from the dashed line, and ECE the mean of these distances over all"
        " examples (Guo et al. 2017). Dots below the line: the model is surer than it is right. Bins of few"
        " examples have wide intervals; without one a bin has no dot."
    )
    rows: list[list[Cell]] = [list(one) for one in bins]
    return Picture(name, "Reliability", caption, text, list(Bin._fields), rows)


def _dots(axis: Axes, bins: Sequence[Bin]) -> None:
    colour = look(0).colour
    axis.plot([0, 1], [0, 1], color=FAINT, linestyle="--", linewidth=1, zorder=0)
    for one in bins:
        at, low, high = one.confidence, one.accuracy_low, one.accuracy_high
        if at is None or one.accuracy is None or low is None or high is None:
            continue
        axis.plot([at, at], [at, one.accuracy], color=FAINT, alpha=0.5, linewidth=5, solid_capstyle="butt")
        axis.plot([at, at], [low, high], color=colour, linewidth=1.2)
        axis.plot([at], [one.accuracy], "o", color=colour, markersize=5)
    axis.set_xlim(0, 1)
    axis.set_ylim(-0.02, 1.02)
    axis.set_ylabel("accuracy (share)")
    axis.tick_params(labelbottom=False)


def _counts(axis: Axes, bins: Sequence[Bin]) -> None:
    width = bins[0].high - bins[0].low
    middles = [(one.low + one.high) / 2 for one in bins]
    counts = [one.num_examples for one in bins]
    axis.bar(middles, counts, width=width * 0.9, color=look(0).colour, alpha=0.6)
    for middle, count in zip(middles, counts, strict=True):
        if count:
            axis.annotate(
                f"{count}",
                (middle, count),
                (0, 1.5),
                textcoords="offset points",
                ha="center",
                color=INK,
                fontsize=6.5,
            )
    axis.set_xlim(0, 1)
    axis.set_ylim(0, max(counts) * 1.25 or 1)
    axis.set_xlabel("confidence: probability of the predicted class")
    axis.set_ylabel("examples (count)")
