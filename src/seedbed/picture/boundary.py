"""What a classifier of two columns says of every place in their plane."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from seedbed.picture.picture import Cell, Picture
from seedbed.picture.style import INK, PAPER, WIDTH, figure, legend_below, legend_height, styled, svg

DIVERGING = "RdBu_r"  # ColorBrewer's, safe for the colour-blind; its light middle is one half
LEVELS = tuple(place / 10 for place in range(11))
CONTOURS = (0.1, 0.5, 0.9)
# The ends of the map: a point of either class is darker than any place that it can lie on.
CLASS_COLOURS, CLASS_MARKS = ("#053061", "#67001f"), ("o", "s")


class Points(NamedTuple):
    """Examples: their two columns, and 0 or 1 for their class."""

    xs: Sequence[float]
    ys: Sequence[float]
    classes: Sequence[int]


class Plane(NamedTuple):
    """One classifier.

    Args:
        label: what tells it apart, with what it reached.
        xs: values of the first column on the grid.
        ys: of the second.
        probabilities: of class 1; a row for each of `ys`.
    """

    label: str
    xs: Sequence[float]
    ys: Sequence[float]
    probabilities: Sequence[Sequence[float]]


def decision_boundary(
    planes: Sequence[Plane], points: Points, class_names: tuple[str, str], column_names: tuple[str, str]
) -> Picture:
    """One axes a classifier: probabilities as colour, contours at 0.1, 0.5 and 0.9, every example.

    Args:
        planes: one to three.
        points: the same examples in each.
        class_names: of class 0 and class 1.
        column_names: with their units.
    """
    name = "decision_boundary"
    counts = [list(points.classes).count(k) for k in (0, 1)]
    labels = [f"{told}, n = {count}" for told, count in zip(class_names, counts, strict=True)]
    labels += ["p = 0.5", "p = 0.1 and 0.9"]
    with styled(name):
        drawing, axes = figure(2.9 + legend_height(labels), 1, len(planes), max(WIDTH, 2.4 * len(planes)))
        for axis, plane in zip(axes, planes, strict=True):
            filled = _draw(axis, plane, points)
            axis.set_xlabel(column_names[0])
        axes[0].set_ylabel(column_names[1])
        for axis in axes[1:]:  # the same column
            axis.tick_params(axis="y", labelleft=False)
        bar = drawing.colorbar(filled, ax=axes, pad=0.02, ticks=[0, 0.25, 0.5, 0.75, 1])
        bar.set_label(f"probability of {class_names[1]}")
        lines = [Line2D([], [], color=INK), Line2D([], [], color=INK, linewidth=0.9, linestyle=(0, (4, 2)))]
        legend_below(drawing, [_mark(0), _mark(1), *lines], labels)
        text = svg(drawing, name)
    caption = (
        "Colour is the probability of one class at every place of the plane, white where both are equally"
        " probable. The thick line is the decision boundary, where it is one half; the dashed ones are where"
        " it is 0.1 and 0.9."
    )
    rows: list[list[Cell]] = [["", "example", *point] for point in zip(*points, strict=True)]
    rows += [row for plane in planes for row in _rows(plane)]
    columns = ["classifier", "what", "x", "y", "class_or_probability"]
    return Picture(name, "Decision boundaries", caption, text, columns, rows)


def _draw(axis: Axes, plane: Plane, points: Points) -> Any:
    grid = (plane.xs, plane.ys, plane.probabilities)
    filled = axis.contourf(*grid, LEVELS, cmap=DIVERGING, vmin=0, vmax=1, alpha=0.75)
    axis.contour(*grid, CONTOURS[1:2], colors=INK, linewidths=1.8)
    axis.contour(*grid, CONTOURS[::2], colors=INK, linewidths=0.9, linestyles=[(0, (4, 2))])
    for k in (0, 1):
        own = [place for place, found in enumerate(points.classes) if found == k]
        places = ([points.xs[place] for place in own], [points.ys[place] for place in own])
        colour, mark = CLASS_COLOURS[k], CLASS_MARKS[k]
        axis.scatter(*places, color=colour, marker=mark, s=11, edgecolors=PAPER, linewidths=0.4, zorder=3)
    axis.set_xlim(plane.xs[0], plane.xs[-1])
    axis.set_ylim(plane.ys[0], plane.ys[-1])
    axis.set_title(plane.label)
    return filled


def _mark(k: int) -> Line2D:
    return Line2D([], [], color=CLASS_COLOURS[k], marker=CLASS_MARKS[k], markersize=5, linestyle="none")


def _rows(plane: Plane) -> list[list[Cell]]:
    return [
        [plane.label, "grid", x, y, value]
        for y, row in zip(plane.ys, plane.probabilities, strict=True)
        for x, value in zip(plane.xs, row, strict=True)
    ]
