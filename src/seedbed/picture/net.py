"""A fully connected network as nodes and edges, with its parameters counted."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.patches import Circle

from seedbed.picture.picture import Cell, Picture
from seedbed.picture.style import FAINT, INK, PAPER, figure, look, styled, svg

WIDTH_A_LAYER = 1.6  # inches
MAX_UNITS = 8  # of a layer that are drawn; more would only be a grey block
RADIUS, BIAS_RADIUS = 0.26, 0.19
GAP, APART = 3.0, 0.8  # between layers and between units, in the drawing's own unit
Place = tuple[float, float]


class Layer(NamedTuple):
    """A fully connected layer: a weight an edge, a bias a unit."""

    num_inputs: int
    num_outputs: int

    @property
    def num_weights(self) -> int:
        """One from each input to each output."""
        return self.num_inputs * self.num_outputs

    @property
    def num_parameters(self) -> int:
        """Weights and biases."""
        return self.num_weights + self.num_outputs


def layers(widths: Sequence[int]) -> list[Layer]:
    """The layers between these widths.

    Example:
        >>> sum(layer.num_parameters for layer in layers([3, 4, 2]))
        26
    """
    return [Layer(*pair) for pair in pairwise(widths)]


def network(widths: Sequence[int], names: Sequence[str]) -> Picture:
    """Units as circles, weights as lines, the bias of each layer as a square with lines of its own.

    Args:
        widths: units of each layer, inputs first; two layers or more.
        names: what each layer is, as many.
    """
    name = "network"
    found = layers(widths)
    with styled(name):
        tallest = min(max(widths), MAX_UNITS) + 1
        drawing, (axis,) = figure(0.9 + 0.42 * tallest, width=WIDTH_A_LAYER * len(widths))
        columns = [_places(width, place * GAP) for place, width in enumerate(widths)]
        lowest = min(y for column in columns for _, y in column)
        biases = [(place * GAP, lowest - APART) for place in range(len(found))]
        for place, bias in enumerate(biases):
            _edges(axis, columns[place], columns[place + 1], FAINT)
            _edges(axis, [bias], columns[place + 1], look(1).colour)
        for column, width in zip(columns, widths, strict=True):
            _units(axis, column, width)
        for bias in biases:
            _bias(axis, bias)
        for place, told in enumerate(zip(names, widths, strict=True)):
            _heading(axis, place * GAP, columns, *told)
        for place, layer in enumerate(found):
            _sum(axis, (place + 0.5) * GAP, lowest - 2 * APART, layer)
        _frame(axis, len(widths), columns, lowest)
        text = svg(drawing, name)
    total = sum(layer.num_parameters for layer in found)
    caption = (
        f"{'-'.join(map(str, widths))}: {total:,} parameters. A grey line is a weight, from a unit to one of"
        " the next layer; a coloured one is a bias, from a square that is always 1."
    )
    rows: list[list[Cell]] = [
        [*layer, layer.num_weights, layer.num_outputs, layer.num_parameters] for layer in found
    ]
    headings = ["num_inputs", "num_outputs", "num_weights", "num_biases", "num_parameters"]
    return Picture(name, f"A network of {total:,} parameters", caption, text, headings, rows)


def _places(width: int, x: float) -> list[Place]:
    """Where the units of a layer are drawn, from the top, centred on 0."""
    num = min(width, MAX_UNITS)
    return [(x, APART * ((num - 1) / 2 - unit)) for unit in range(num)]


def _edges(axis: Axes, sources: Sequence[Place], targets: Sequence[Place], colour: str) -> None:
    for source in sources:
        for target in targets:
            axis.plot(*zip(source, target, strict=True), color=colour, linewidth=0.8, zorder=1)


def _units(axis: Axes, places: Sequence[Place], width: int) -> None:
    for unit, place in enumerate(places):
        axis.add_patch(Circle(place, RADIUS, facecolor=PAPER, edgecolor=INK, linewidth=1.1, zorder=2))
        if width > MAX_UNITS and unit == MAX_UNITS - 2:
            axis.annotate("⋮", place, ha="center", va="center", zorder=3)


def _bias(axis: Axes, place: Place) -> None:
    axis.plot(*place, "s", color=PAPER, markeredgecolor=look(1).colour, markersize=13, zorder=2)
    axis.annotate("1", place, ha="center", va="center", color=look(1).colour, zorder=3)


def _heading(axis: Axes, x: float, columns: Sequence[Sequence[Place]], name: str, width: int) -> None:
    top = max(y for column in columns for _, y in column) + APART
    axis.annotate(f"{name}\n{width:,}", (x, top), ha="center", va="center")


def _sum(axis: Axes, x: float, y: float, layer: Layer) -> None:
    told = f"{layer.num_inputs:,} x {layer.num_outputs:,} + {layer.num_outputs:,} = {layer.num_parameters:,}"
    axis.annotate(told, (x, y), ha="center", va="center")


def _frame(axis: Axes, num: int, columns: Sequence[Sequence[Place]], lowest: float) -> None:
    top = max(y for column in columns for _, y in column)
    axis.set_xlim(-GAP / 2, (num - 0.5) * GAP)
    axis.set_ylim(lowest - 2.6 * APART, top + 1.8 * APART)
    axis.set_aspect("equal")
    axis.set_axis_off()
