"""Learning curves of one run: what it saw in training beside what it was judged on."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from seedbed.picture.picture import Cell, Picture
from seedbed.picture.style import FAINT, figure, legend_below, legend_height, look, styled, svg

CAPTION = (
    "One run. Training values are gathered while the weights of the epoch still move, with dropout and"
    " augmentation where there are any; validation comes after the epoch, without. So the two are not of"
    " the same weights, and training may lie above its validation."
)
NUM_COLUMNS = 2


class Series(NamedTuple):
    """One split: values at epochs, both of the same length.

    Args:
        split: its name.
        num_examples: in the split.
        steps: epochs, from 1.
        values: of the metric.
    """

    split: str
    num_examples: int
    steps: Sequence[int]
    values: Sequence[float]

    @property
    def label(self) -> str:
        """The split with its size."""
        return f"{self.split}, n = {self.num_examples:,} examples"


class Metric(NamedTuple):
    """One metric: its name with the unit, its short name, a series a split in the same order."""

    label: str
    name: str
    series: Sequence[Series]


def run_curves(metrics: Sequence[Metric], best_epoch: int | None) -> Picture:
    """One axes a metric, side by side, with epochs to the right and a line a split.

    Args:
        metrics: one or more, each with the same splits.
        best_epoch: the one whose weights were kept, marked; None: not known.
    """
    name = "run_curves"
    columns = min(NUM_COLUMNS, len(metrics))
    lines = -(-len(metrics) // columns)
    with styled(name):
        labels = [series.label for series in metrics[0].series]
        handles = [_handle(place) for place in range(len(labels))]
        if best_epoch is not None:
            labels.append(f"epoch {best_epoch}, the best on validation")
            handles.append(Line2D([], [], color=FAINT, linestyle=":"))
        drawing, axes = figure(2.7 * lines + legend_height(labels), lines, columns)
        for axis, metric in zip(axes, metrics, strict=False):
            _draw(axis, metric, best_epoch)
        for axis in axes[len(metrics) :]:
            axis.set_axis_off()
        legend_below(drawing, handles, labels)
        text = svg(drawing, name)
    rows: list[list[Cell]] = [
        [metric.name, series.split, series.num_examples, step, value]
        for metric in metrics
        for series in metric.series
        for step, value in zip(series.steps, series.values, strict=True)
    ]
    head = ["metric", "split", "num_examples", "epoch", "value"]
    return Picture(name, "Learning curves of the run", CAPTION, text, head, rows)


def _draw(axis: Axes, metric: Metric, best_epoch: int | None) -> None:
    if best_epoch is not None:
        axis.axvline(best_epoch, color=FAINT, linestyle=":", linewidth=1.2, zorder=0)
    for place, series in enumerate(metric.series):
        colour, mark, dash = _look(place)
        few = mark if len(series.steps) <= 12 else ""  # a line of one point is none
        axis.plot(series.steps, series.values, color=colour, linestyle=dash, marker=few, markersize=3.5)
    axis.set_xlabel("epoch")
    low, high = axis.get_xlim()
    if high - low < 1:  # a single epoch
        axis.set_xlim(low - 0.5, high + 0.5)
    axis.set_ylabel(metric.label)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1, nbins=7))
    axis.grid(axis="y", color=FAINT, alpha=0.25, linewidth=0.6)


def _look(place: int) -> tuple[str, str, Any]:
    colour, mark, _ = look(place)
    return colour, mark, "-" if place else "--"


def _handle(place: int) -> Line2D:
    colour, mark, dash = _look(place)
    return Line2D([], [], color=colour, linestyle=dash, marker=mark, markersize=3.5)
