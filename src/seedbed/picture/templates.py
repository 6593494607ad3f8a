"""The weights of a linear model as images: what speaks for a class, and what against it."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float64
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from seedbed.picture.labels import shortened
from seedbed.picture.picture import Cell, Picture
from seedbed.picture.style import FAINT, figure, styled, svg

Weights = Float64[np.ndarray, "height width"]

# Two hues that the colour-blind tell apart, white in between.
DIVERGING = "RdBu_r"
NUM_COLUMNS = 5
DIGITS = 6


class Template(NamedTuple):
    """Weights of one class, or of one colour of it."""

    name: str
    weights: Weights


def templates(shown: Sequence[Template], unit: str, num_examples: int, notes: Sequence[str] = ()) -> Picture:
    """An image a template, all on one scale that is symmetric about 0.

    Args:
        shown: at least one, all of the same shape.
        unit: of the weights.
        num_examples: that they were fitted on.
        notes: sentences for the end of the caption.
    """
    columns = min(NUM_COLUMNS, len(shown))
    lines = -(-len(shown) // columns)
    reach = scale(shown)
    with styled("templates"):
        width = 1.5 + 1.2 * columns
        drawing, axes = figure(0.6 + 1.4 * lines, lines, columns, max(width, 4.0))
        names = shortened([one.name for one in shown], 16)
        images = [_draw(axis, one, reach) for axis, one in zip(axes, shown, strict=False)]
        for axis, name in zip(axes, names, strict=False):
            axis.set_title(name, fontsize=8)
        for axis in axes[len(shown) :]:
            axis.set_axis_off()
        _key(drawing, axes, images[0], unit)
        drawing.suptitle(f"weights, fitted on n = {num_examples:,} examples", fontsize="medium")
        text = svg(drawing, "templates")
    caption = (
        "Each image is the weights of one class, pixel by pixel, all on one scale that is symmetric about 0:"
        " ink where it is red speaks for the class, ink where it is blue against it."
    )
    rows: list[list[Cell]] = [
        [one.name, *one.weights.shape, " ".join(f"{value:.{DIGITS}g}" for value in one.weights.flat)]
        for one in shown
    ]
    told = " ".join([caption, *notes])
    return Picture("templates", "Weight templates", told, text, ["class", "height", "width", "weights"], rows)


def scale(shown: Sequence[Template]) -> float:
    """The largest absolute weight of all; 1 where all are 0."""
    return max(float(np.abs(one.weights).max()) for one in shown) or 1.0


def _draw(axis: Axes, one: Template, reach: float) -> Any:
    image = axis.imshow(one.weights, cmap=DIVERGING, vmin=-reach, vmax=reach, interpolation="none")
    axis.set_xticks([])
    axis.set_yticks([])
    axis.spines[:].set_visible(True)
    axis.spines[:].set_color(FAINT)
    return image


def _key(drawing: Figure, axes: Sequence[Axes], image: Any, unit: str) -> None:
    bar = drawing.colorbar(image, ax=list(axes), shrink=0.9, aspect=30)
    bar.set_label(unit)
    bar.outline.set_visible(False)
