"""Arrays as images: on a symmetric diverging scale, sharp however large a viewer draws them."""

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray

from seedbed.picture.style import FAINT

# Both stay apart for the colour-blind; the first is white at zero.
DIVERGING, SEQUENTIAL = "RdBu_r", "cividis"
# Pixels along the longer side of an image: viewers blur the edges between few large pixels.
SHARP = 168

Values = NDArray[np.floating[Any]]
Colours = NDArray[np.floating[Any]]


def reach(values: Values) -> float:
    """The largest absolute value, leaving out NaN; 1 where all are zero: the end of a symmetric scale."""
    found = float(np.nanmax(np.abs(values), initial=0.0))
    return found or 1.0


def symmetric(limit: float) -> ScalarMappable:
    """Blue below zero, white at it, red above it, to `limit` on both sides."""
    return ScalarMappable(Normalize(-limit, limit), mpl.colormaps[DIVERGING])


def mosaic(tiles: Sequence[Values], num_columns: int, gap: int = 1) -> Values:
    """Tiles of one shape in rows of `num_columns`, NaN between them and after the last.

    Args:
        tiles: (row, column) each, at least one.
        num_columns: tiles side by side, 1 or more.
        gap: pixels between neighbours.
    """
    height, width = tiles[0].shape
    num_rows = -(-len(tiles) // num_columns)
    out = np.full((num_rows * (height + gap) - gap, num_columns * (width + gap) - gap), np.nan)
    for place, tile in enumerate(tiles):
        top, left = place // num_columns * (height + gap), place % num_columns * (width + gap)
        out[top : top + height, left : left + width] = tile
    return out


def enlarged(values: NDArray[Any], height: int, width: int) -> NDArray[Any]:
    """Each pixel of (row, column, ...) repeated, to `height` by `width`."""
    rows, columns = (
        np.arange(size) * given // size for size, given in zip((height, width), values.shape, strict=False)
    )
    repeated: NDArray[Any] = values[rows][:, columns]
    return repeated


def sharp(values: NDArray[Any]) -> NDArray[Any]:
    """Each pixel repeated as often as makes the longer side `SHARP` pixels or more."""
    times = -(-SHARP // max(values.shape[:2]))
    return enlarged(values, values.shape[0] * times, values.shape[1] * times)


def show(axis: Axes, colours: Colours) -> None:
    """An image of (row, column, red green blue [alpha]), without ticks, in a thin frame."""
    axis.imshow(sharp(colours), interpolation="none")
    axis.set_xticks([])
    axis.set_yticks([])
    axis.spines[:].set_visible(True)
    axis.spines[:].set(color=FAINT, linewidth=0.5)


def scale_below(drawing: Figure, axes: Any, colours: ScalarMappable, label: str) -> None:
    """A bar under the axes that says what the colours mean.

    Args:
        drawing: the figure.
        axes: of the drawing, from which the bar takes its room.
        colours: the scale.
        label: the quantity with its unit.
    """
    bar = drawing.colorbar(
        colours, ax=axes, label=label, orientation="horizontal", shrink=0.6, aspect=40, pad=0.04
    )
    bar.outline.set(color=FAINT, linewidth=0.5)
