"""Weight templates along a penalty path."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from seedbed.picture.labels import shorten
from seedbed.picture.picture import Cell, Picture
from seedbed.picture.style import figure, styled, svg
from seedbed.picture.tiles import SHARP, mosaic, reach, show, symmetric

MOST_CLASSES = 10
INCH = 0.66  # height of a row of templates
MOST_LETTERS = 4  # of a name that fits above its template


class Stop(NamedTuple):
    """One penalty on the path.

    Args:
        penalty: lambda.
        templates: weights of one of its fits, (class, row, column), averaged over channels.
        metrics: values of its runs, one a run, by metric.
    """

    penalty: float
    templates: NDArray[np.floating[Any]]
    metrics: Mapping[str, Sequence[float]]


def penalty_path(
    stops: Sequence[Stop], class_names: Sequence[str], units: dict[str, str], run: str
) -> Picture:
    """A row of class templates a penalty, the strongest on top, each row on a scale of its own.

    Args:
        stops: two or more, in any order.
        class_names: of the templates; of many classes the first ten are drawn.
        units: of each metric, for its name.
        run: which fit of each penalty is drawn, in words.
    """
    stops = sorted(stops, key=lambda stop: -stop.penalty)
    names = list(class_names)[:MOST_CLASSES]
    with styled("penalty_path"):
        drawing, axes = figure(0.5 + INCH * len(stops), len(stops))
        for axis, stop in zip(axes, stops, strict=True):
            drawn = stop.templates[:MOST_CLASSES]
            tiles = mosaic(list(drawn), len(drawn))
            show(axis, symmetric(reach(drawn)).to_rgba(tiles))
            axis.spines[:].set_visible(False)
            axis.set_ylabel(f"λ = {stop.penalty:g}\n±{reach(drawn):.2g}", rotation=0, ha="right", va="center")
            told = "\n".join(f"{name} {_mean(stop, name):.4f}" for name in units)
            axis.text(1.02, 0.5, told, transform=axis.transAxes, va="center", fontsize=8)
        _head(axes[0], names, stops[0].templates.shape[2])
        counts = sorted({len(values) for stop in stops for values in stop.metrics.values()})
        told = " to ".join(map(str, (counts[0], counts[-1]) if len(counts) > 1 else counts))
        drawing.suptitle(f"weights of each class; means over n = {told} runs a penalty", fontsize=9)
        text = svg(drawing, "penalty_path")
    caption = (
        f"Each row holds the weight templates of one penalty lambda, {run}. Every row has a symmetric scale"
        " of its own, because the weights grow by orders of magnitude as lambda falls: the number after ± is"
        " the weight (logits per unit of input) at its full red; blue is as much below zero. Red ink speaks"
        f" for the class, blue ink against it. {_metrics(units)}"
    )
    columns = ["penalty", "n", *units, "class", "largest_weight", "weights"]
    rows = [row for stop in stops for row in _rows(stop, names, list(units))]
    return Picture("penalty_path", "Weight templates along the penalty path", caption, text, columns, rows)


def _head(axis: Axes, names: Sequence[str], width: int) -> None:
    """The classes' names above the first row."""
    axis.xaxis.tick_top()
    pixels = width * len(names) + len(names) - 1
    enlarged = -(-SHARP // max(width, pixels)) * 1.0
    axis.set_xticks([((width + 1) * place + width / 2) * enlarged - 0.5 for place in range(len(names))])
    short = [shorten(name, 9) for name in names]
    wide = max(map(len, short)) > MOST_LETTERS
    axis.set_xticklabels(short, rotation=30 if wide else 0, ha="left" if wide else "center")
    axis.tick_params(axis="x", length=0)


def _mean(stop: Stop, name: str) -> float:
    return statistics.fmean(stop.metrics[name])


def _metrics(units: dict[str, str]) -> str:
    told = " and ".join(f"{name} in {unit}" for name, unit in units.items())
    return f"To the right: {told}, the mean over the runs."


def _rows(stop: Stop, names: Sequence[str], metrics: Sequence[str]) -> list[list[Cell]]:
    """One row a class: its weights row by row, with four digits."""
    num_runs = len(stop.metrics[metrics[0]])
    told: list[Cell] = [stop.penalty, num_runs, *(_mean(stop, metric) for metric in metrics)]
    return [
        [*told, name, float(np.abs(template).max()), " ".join(f"{value:.4g}" for value in template.flat)]
        for name, template in zip(names, stop.templates, strict=False)
    ]
