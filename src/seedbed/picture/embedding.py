"""Examples as points: where a network has put them, in two dimensions."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from seedbed.picture.picture import Cell, Picture
from seedbed.picture.style import FAINT, INK, figure, legend_below, legend_height, look, styled, svg

MOST_NAMED = 10


class Points(NamedTuple):
    """One point an example.

    Args:
        places: (example, 2).
        labels: class of each example, 0 or more.
        predictions: predicted class of each.
        indices: the example's place in its file.
        class_names: of all classes.
        axis_labels: what the two directions are, with their unit.
    """

    places: NDArray[np.floating[Any]]
    labels: NDArray[np.integer[Any]]
    predictions: NDArray[np.integer[Any]]
    indices: NDArray[np.integer[Any]]
    class_names: Sequence[str]
    axis_labels: tuple[str, str]

    @property
    def wrong(self) -> NDArray[np.bool_]:
        """Whether each example is misclassified."""
        return np.asarray(self.labels != self.predictions)


def embedding(name: str, title: str, points: Points, caption: str) -> Picture:
    """A mark an example, its colour and form the true class; the misclassified ones ringed.

    Args:
        name: of the picture.
        title: of the picture.
        points: one or more; of many classes only the first ten have looks of their own.
        caption: how to read it, whole sentences.
    """
    named = [label for label in range(len(points.class_names)) if (points.labels == label).any()][:MOST_NAMED]
    others = ~np.isin(points.labels, named)
    labels = [f"{points.class_names[label]}, n = {(points.labels == label).sum():,}" for label in named]
    handles = [_handle(look(place).colour, look(place).mark) for place in range(len(named))]
    if others.any():
        labels.append(f"other classes, n = {others.sum():,}")
        handles.append(_handle(FAINT, "."))
    if points.wrong.any():
        labels.append(f"misclassified, n = {points.wrong.sum():,}")
        handles.append(
            Line2D([], [], color=INK, marker="o", fillstyle="none", linestyle="none", markersize=7)
        )
    with styled(name):
        drawing, (axis,) = figure(4.6 + legend_height(labels))
        if others.any():
            _dots(axis, points.places[others], FAINT, ".")
        for place, label in enumerate(named):
            _dots(axis, points.places[points.labels == label], look(place).colour, look(place).mark)
        wrong = points.places[points.wrong]
        axis.scatter(wrong[:, 0], wrong[:, 1], s=34, facecolors="none", edgecolors=INK, linewidths=0.6)
        axis.set_xlabel(points.axis_labels[0])
        axis.set_ylabel(points.axis_labels[1])
        axis.set_aspect("equal", "datalim")  # a unit is a unit in both directions
        axis.set_title(f"n = {len(points.places):,} examples")
        legend_below(drawing, handles, labels)
        text = svg(drawing, name)
    columns = ["index", "true", "predicted", "first", "second"]
    return Picture(name, title, caption, text, columns, _rows(points))


def _dots(axis: Axes, places: NDArray[Any], colour: str, mark: str) -> None:
    axis.scatter(places[:, 0], places[:, 1], s=9, color=colour, marker=mark, alpha=0.7, linewidths=0)


def _handle(colour: str, mark: str) -> Line2D:
    return Line2D([], [], color=colour, marker=mark, linestyle="none", markersize=5)


def _rows(points: Points) -> list[list[Cell]]:
    names = points.class_names
    columns = (points.indices, points.labels, points.predictions, points.places)
    return [
        [int(index), names[label], names[prediction], float(place[0]), float(place[1])]
        for index, label, prediction, place in zip(*columns, strict=True)
    ]
