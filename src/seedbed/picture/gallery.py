"""The mistakes that were made most surely, as images."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import UInt8
from matplotlib.axes import Axes

from seedbed.picture.labels import shortened
from seedbed.picture.picture import Cell, Picture
from seedbed.picture.style import FAINT, figure, styled, svg

Image = UInt8[np.ndarray, "height width *colour"]

NUM_COLUMNS = 5
MAX_SIDE = 112  # pixels; more are lost on a side of 1.2 inches
MAX_LETTERS = 12


class Mistake(NamedTuple):
    """An example that was taken for another class.

    Args:
        place: its place in the data's file.
        image: grey or with three colours, 0 to 255.
        true: its class.
        predicted: the class that it was taken for.
        p_true: probability of the one.
        p_predicted: probability of the other.
    """

    place: int
    image: Image
    true: str
    predicted: str
    p_true: float
    p_predicted: float


def gallery(mistakes: Sequence[Mistake], num_mistakes: int, num_examples: int, split: str) -> Picture:
    """Images in rows, the worst first.

    Args:
        mistakes: those that are shown, in order; at least one.
        num_mistakes: of all.
        num_examples: of the split.
        split: its name.
    """
    lines = -(-len(mistakes) // NUM_COLUMNS)
    with styled("gallery"):
        drawing, axes = figure(0.5 + 1.75 * lines, lines, NUM_COLUMNS)
        names = sorted({name for one in mistakes for name in (one.true, one.predicted)})
        short = dict(zip(names, shortened(names, MAX_LETTERS), strict=True))
        for axis, one in zip(axes, mistakes, strict=False):
            _draw(axis, one, short)
        for axis in axes[len(mistakes) :]:
            axis.set_axis_off()
        title = f"{split}: {num_mistakes:,} mistakes among n = {num_examples:,} examples"
        drawing.suptitle(f"{title}; the {len(mistakes)} worst", fontsize="medium")
        text = svg(drawing, "gallery")
    caption = (
        "Examples that were taken for another class, those with the least probability of their own class"
        " first: p(true), and below it p(predicted). Either the model is wrong there or the label is."
        " The number is the example's place in the data's file."
    )
    rows: list[list[Cell]] = [
        [one.place, one.true, one.predicted, one.p_true, one.p_predicted] for one in mistakes
    ]
    columns = ["place", "true", "predicted", "p_true", "p_predicted"]
    return Picture("gallery", "Worst mistakes", caption, text, columns, rows)


def _draw(axis: Axes, one: Mistake, short: dict[str, str]) -> None:
    axis.imshow(reduced(one.image), cmap="gray", vmin=0, vmax=255, interpolation="none")
    axis.set_xticks([])
    axis.set_yticks([])
    axis.spines[:].set_visible(True)
    axis.spines[:].set_color(FAINT)
    axis.set_title(
        f"true {short[one.true]}: {one.p_true:.2g}\nsaid {short[one.predicted]}: {one.p_predicted:.2g}",
        fontsize=7.5,
    )
    axis.set_xlabel(f"#{one.place}", fontsize=6.5, labelpad=2)


def reduced(image: Image) -> Any:
    """The image with no side above `MAX_SIDE` pixels: means over squares of pixels."""
    from PIL import Image as Pillow

    factor = -(-max(image.shape[:2]) // MAX_SIDE)
    return image if factor == 1 else np.asarray(Pillow.fromarray(image).reduce(factor))
