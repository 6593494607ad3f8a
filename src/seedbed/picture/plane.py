"""A model of two columns: where it changes its mind, and how sure it is on either side."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float64, Int64
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from seedbed.picture.picture import Cell, Picture
from seedbed.picture.style import INK, figure, legend_below, legend_height, look, styled, svg

Across = Float64[np.ndarray, " across"]
Up = Float64[np.ndarray, " up"]
Probabilities = Float64[np.ndarray, "up across class"]

# Symmetric about the line where both classes are equally likely.
LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)


class Field(NamedTuple):
    """What a model says all over a rectangle.

    Args:
        columns: what lies across, and what upwards.
        across: places of the grid, ascending.
        up: likewise.
        probabilities: of each class at each place.
    """

    columns: tuple[str, str]
    across: Across
    up: Up
    probabilities: Probabilities


class Points(NamedTuple):
    """Examples.

    Args:
        inputs: the two columns.
        labels: true classes.
    """

    inputs: Float64[np.ndarray, "example 2"]
    labels: Int64[np.ndarray, " example"]


def plane(field: Field, points: Points, names: Sequence[str], split: str) -> Picture:
    """Probabilities as shades, the decision line, and the examples.

    Args:
        field: what the model says.
        points: examples that are drawn.
        names: of the classes.
        split: whose examples they are.
    """
    labels = [
        f"{name}, n = {int((points.labels == place).sum()):,} of {split}" for place, name in enumerate(names)
    ]
    with styled("plane"):
        drawing, (axis,) = figure(4.3 + legend_height(labels), width=5.8)
        if len(names) == 2:
            _two(drawing, axis, field, names[1])
        else:
            _many(axis, field)
        for place in range(len(names)):
            colour, mark, _ = look(place)
            inside = points.inputs[points.labels == place]
            axis.scatter(
                inside[:, 0], inside[:, 1], color=colour, marker=mark, s=16, edgecolors=INK, linewidths=0.4
            )
        axis.set_xlim(field.across[0], field.across[-1])
        axis.set_ylim(field.up[0], field.up[-1])
        axis.set_xlabel(f"{field.columns[0]} (as in the data)")
        axis.set_ylabel(f"{field.columns[1]} (as in the data)")
        legend_below(drawing, [_handle(place) for place in range(len(names))], labels)
        text = svg(drawing, "plane")
    heads = ["kind", *field.columns, *(f"p({name})" for name in names), "label"]
    return Picture("plane", "Decision plane", _caption(names), text, heads, _rows(field, points, names))


def _two(drawing: Figure, axis: Axes, field: Field, positive: str) -> None:
    chance = field.probabilities[:, :, 1]
    shade: Any = axis.contourf(
        field.across, field.up, chance, levels=np.linspace(0, 1, 21), cmap="RdBu_r", vmin=0, vmax=1, alpha=0.6
    )
    lines = axis.contour(
        field.across,
        field.up,
        chance,
        levels=list(LEVELS),
        colors=[INK],
        linewidths=[2.0 if level == 0.5 else 0.7 for level in LEVELS],
    )
    axis.clabel(lines, fmt="%g", fontsize=7)
    bar = drawing.colorbar(shade, ax=axis, ticks=[0, 0.25, 0.5, 0.75, 1], aspect=25)
    bar.set_label(f"probability of {positive}")
    bar.outline.set_visible(False)


def _many(axis: Axes, field: Field) -> None:
    """The colour of the most probable class, the fainter the less sure; lines where it changes."""
    best = field.probabilities.argmax(axis=2)
    num_classes = field.probabilities.shape[2]
    sure = (field.probabilities.max(axis=2) - 1 / num_classes) / (1 - 1 / num_classes)
    colours = np.array([to_rgb(look(place).colour) for place in range(num_classes)])
    image = np.dstack([colours[best], 0.1 + 0.5 * sure])
    ends = (field.across[0], field.across[-1], field.up[0], field.up[-1])
    axis.imshow(image, origin="lower", extent=ends, aspect="auto", interpolation="none")
    for place in range(num_classes):
        others = np.delete(field.probabilities, place, axis=2).max(axis=2)
        ahead = field.probabilities[:, :, place] - others
        if ahead.min() < 0 < ahead.max():
            axis.contour(field.across, field.up, ahead, levels=[0.0], colors=[INK], linewidths=1.2)


def _caption(names: Sequence[str]) -> str:
    told = "What the model says all over the plane, and the examples that it was judged on. "
    if len(names) == 2:
        lines = ", ".join(f"{level:g}" for level in LEVELS)
        return told + (
            f"The thick line is where both classes are equally likely; the lines are at p = {lines} of"
            f" {names[1]}. Far from the examples the probabilities are the model's habit, not evidence."
        )
    return told + (
        "The colour is that of the most probable class, the fainter the less sure; lines stand where it"
        " changes. Far from the examples the probabilities are the model's habit, not evidence."
    )


def _rows(field: Field, points: Points, names: Sequence[str]) -> list[list[Cell]]:
    grid: list[list[Cell]] = [
        ["grid", float(across), float(up), *map(float, field.probabilities[row, column]), None]
        for row, up in enumerate(field.up)
        for column, across in enumerate(field.across)
    ]
    empty = [None] * len(names)
    shown: list[list[Cell]] = [
        ["example", float(across), float(up), *empty, names[label]]
        for (across, up), label in zip(points.inputs, points.labels, strict=True)
    ]
    return grid + shown


def _handle(place: int) -> Line2D:
    colour, mark, _ = look(place)
    return Line2D(
        [], [], color=colour, marker=mark, linestyle="none", markeredgecolor=INK, markeredgewidth=0.4
    )
