"""Weights of a first layer, as images."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from seedbed.picture.picture import Cell, Picture
from seedbed.picture.style import WIDTH, figure, styled, svg
from seedbed.picture.tiles import Values, mosaic, reach, scale_below, show, symmetric

MOST_FILTERS = 64
NARROWEST, FURNITURE = 3.6, 0.95  # inches: of a drawing, and what title and scale take of its height


class Filters(NamedTuple):
    """Weights from an image to the units of a layer.

    Args:
        weights: (unit, channel, row, column).
        num_units: of the layer, of which these are the first.
        unit_word: what one is called in the plural, such as units or kernels.
        told: a sentence on where the weights come from.
    """

    weights: NDArray[np.floating[Any]]
    num_units: int
    unit_word: str
    told: str


def filters(found: Filters) -> Picture:
    """One tile a unit, all on one scale; the channels of a unit side by side.

    Args:
        found: the layer, at most `MOST_FILTERS` of its units.
    """
    tiles = [_joined(unit) for unit in found.weights]
    num_columns = _columns(len(tiles), tiles[0].shape)
    limit, drawn = reach(found.weights), mosaic(tiles, num_columns)
    height, width = drawn.shape
    across = min(WIDTH, max(NARROWEST, 0.5 * num_columns * tiles[0].shape[1] / tiles[0].shape[0]))
    with styled("filters"):
        drawing, (axis,) = figure(across * height / width + FURNITURE, width=across)
        colours = symmetric(limit)
        show(axis, colours.to_rgba(drawn))  # NaN between the tiles is transparent
        axis.spines[:].set_visible(False)
        axis.set_title(f"{found.unit_word}: n = {len(tiles)} of {found.num_units:,}")
        scale_below(drawing, axis, colours, "weight (per unit of input)")
        text = svg(drawing, "filters")
    caption = (
        f"{found.told} Each tile is one of the {found.unit_word}, in the layer's order, row by row;"
        f" {_shown(found)} {_channels(found.weights.shape[1])}All share one scale, symmetric about 0 and as"
        " wide as the largest weight: red raises what the unit computes, blue lowers it, white leaves it."
        " A regular pattern is something that was learnt; grain is what the first weights have left, or what"
        " the inputs do not decide."
    )
    columns = ["unit", "channel", "row", "column", "weight"]
    return Picture("filters", "First-layer weights", caption, text, columns, _rows(found.weights))


def _joined(unit: Values) -> Values:
    """(channel, row, column) as one image: channels from left to right."""
    return mosaic(list(unit), len(unit), gap=0)


def _columns(count: int, shape: Sequence[int]) -> int:
    """Tiles side by side, so that the whole is about twice as wide as high, with no row nearly empty."""
    height, width = shape
    ideal = max(1, round((2 * count * height / width) ** 0.5))
    return min(count, next((n for n in range(ideal, 2 * ideal) if count % n == 0), ideal))


def _shown(found: Filters) -> str:
    if len(found.weights) == found.num_units:
        return f"all {found.num_units} are shown."
    return (
        f"the first {len(found.weights)} of {found.num_units:,} are shown, not chosen by what they look like."
    )


def _channels(number: int) -> str:
    if number == 1:
        return ""
    names = "red, green and blue" if number == 3 else f"{number} channels"
    return f"The {names} weights of a tile stand side by side, from left to right. "


def _rows(weights: NDArray[np.floating[Any]]) -> list[list[Cell]]:
    places = np.ndindex(*weights.shape)
    return [[*place, float(weights[place])] for place in places]
