"""What a network looks at: inputs with a map over each."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from numpy.typing import NDArray

from seedbed.picture.labels import shorten
from seedbed.picture.picture import Cell, Picture
from seedbed.picture.style import figure, styled, svg
from seedbed.picture.tiles import SEQUENTIAL, SHARP, Values, enlarged, reach, scale_below, show, symmetric

MOST_SHOWN = 6
NAME_LETTERS = 10  # of a class name above an image
# How much of the input shines through where the map is zero.
FADED = 0.3


class Shown(NamedTuple):
    """One example with its map.

    Args:
        place: which example, such as "test 815".
        image: (channel, row, column) in [0, 1], one channel or three.
        values: the map, (row, column), as fine as it is known.
        true: name of its class; None where that is not kept.
        predicted: name of the class with the largest probability.
        p_true: probability of the true class; None where that is not kept.
        p_predicted: probability of the predicted class.
    """

    place: str
    image: NDArray[np.floating[Any]]
    values: Values
    true: str | None
    predicted: str
    p_true: float | None
    p_predicted: float


class Kind(NamedTuple):
    """What a map is.

    Args:
        name: of the picture.
        title: of the picture.
        quantity: with its unit, such as "attribution (logits)".
        unit: of a value.
        signed: whether values may lie below zero.
    """

    name: str
    title: str
    quantity: str
    unit: str
    signed: bool


def maps(kind: Kind, shown: Sequence[Shown], caption: str) -> Picture:
    """Inputs in the upper row, their maps over faint inputs in the lower one.

    Args:
        kind: what the maps are.
        shown: one to six examples.
        caption: how to read it, whole sentences.
    """
    with styled(kind.name):
        drawing, axes = figure(3.9, 2, len(shown))
        scale = _scale(kind.signed)
        for place, example in enumerate(shown):
            upper, lower = axes[place], axes[len(shown) + place]
            show(upper, _colours(example.image))
            upper.set_title(_title(example), fontsize=6.5)
            show(lower, overlaid(example.image, example.values, scale))
            lower.set_xlabel(f"to {np.abs(example.values).max():.3g} {kind.unit}", fontsize=7)
        label = f"{kind.quantity}, share of the map's largest"
        scale_below(drawing, axes, scale, label)
        drawing.suptitle(f"{kind.title}, n = {len(shown)} examples", fontsize=9)
        text = svg(drawing, kind.name)
    columns = ["example", "true", "predicted", "p_true", "p_predicted", "row", "column", "value"]
    rows = [row for example in shown for row in _rows(example)]
    return Picture(kind.name, kind.title, caption, text, columns, rows)


def _scale(signed: bool) -> ScalarMappable:
    return symmetric(1.0) if signed else ScalarMappable(Normalize(0, 1), mpl.colormaps[SEQUENTIAL])


def overlaid(image: NDArray[np.floating[Any]], values: Values, scale: ScalarMappable) -> NDArray[Any]:
    """The map in colours over a faint grey input, the more opaque the larger the value.

    Args:
        image: (channel, row, column) in [0, 1].
        values: (row, column).
        scale: from -1 or 0 to 1.
    """
    height, width = _sizes(image.shape[1:])
    grey = enlarged(image.mean(axis=0), height, width)[..., None]
    shares = enlarged(values / reach(values), height, width)
    opacity = np.abs(shares)[..., None]
    drawing = len(image) == 1 and image.mean() < 0.5  # light strokes on black, here dark ones on paper
    base = 1 - FADED * (grey if drawing else 1 - grey)
    mixed: NDArray[Any] = opacity * scale.to_rgba(shares)[..., :3] + (1 - opacity) * base
    return mixed


def _sizes(shape: Sequence[int]) -> tuple[int, int]:
    """Pixels that the longer side of at least `SHARP` gives."""
    longer = max(shape)
    height, width = (max(1, side * max(SHARP, longer) // longer) for side in shape)
    return height, width


def _colours(image: NDArray[np.floating[Any]]) -> NDArray[Any]:
    """(row, column, red green blue)."""
    channels = image if len(image) == 3 else np.repeat(image[:1], 3, axis=0)
    return np.moveaxis(channels, 0, -1)


def _title(example: Shown) -> str:
    predicted = f"said {shorten(example.predicted, NAME_LETTERS)}: {example.p_predicted:.2f}"
    if example.true is None or example.p_true is None:
        return f"{example.place}\n\n{predicted}"
    return f"{example.place}\ntrue {shorten(example.true, NAME_LETTERS)}: {example.p_true:.1g}\n{predicted}"


def _rows(example: Shown) -> list[list[Cell]]:
    told: list[Cell] = [
        example.place,
        example.true,
        example.predicted,
        example.p_true,
        example.p_predicted,
    ]
    return [[*told, *place, float(example.values[place])] for place in np.ndindex(*example.values.shape)]
