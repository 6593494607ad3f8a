"""A loss over two weights as a map with contours, and the way that an optimiser took on it."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from seedbed.picture.picture import Cell, Picture
from seedbed.picture.style import INK, PAPER, figure, legend_below, legend_height, look, styled, svg

SEQUENTIAL = "cividis"  # even steps of lightness, the same to the colour-blind
NUM_LEVELS, LEAST = 14, 1e-4  # contours, evenly spread in the logarithm, and the lowest


class Surface(NamedTuple):
    """A loss over two weights, and the steps of one descent.

    Args:
        label: what tells it apart, with the number of steps.
        across: name of the weight to the right, with its unit.
        upwards: of the other.
        xs: its values on the grid.
        ys: of the other.
        excess: how far the loss lies above its minimum, in nats; a row for each of `ys`.
        path: the weights after each step drawn, from the start.
        optimum: where the minimum is.
    """

    label: str
    across: str
    upwards: str
    xs: Sequence[float]
    ys: Sequence[float]
    excess: Sequence[Sequence[float]]
    path: Sequence[tuple[float, float]]
    optimum: tuple[float, float]


def likelihood_surface(surfaces: Sequence[Surface], num: int) -> Picture:
    """One map a surface, side by side, on one scale.

    Args:
        surfaces: one or two.
        num: examples that the loss is the mean over.
    """
    name = "likelihood_surface"
    labels = ["the descent", "where it starts", f"minimum of the mean over n = {num} examples"]
    with styled(name):
        drawing, axes = figure(3.4 + legend_height(labels), 1, len(surfaces))
        most = max(value for surface in surfaces for row in surface.excess for value in row)
        for axis, surface in zip(axes, surfaces, strict=True):
            filled = _draw(axis, surface, most)
        bar = drawing.colorbar(filled, ax=axes, pad=0.02)
        bar.ax.yaxis.set_major_locator(LogLocator())
        bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        bar.ax.yaxis.set_minor_locator(NullLocator())
        bar.set_label("mean loss above its minimum (nats)")
        colour = look(1).colour
        marks = [
            Line2D([], [], color=colour, marker=".", markersize=5),
            Line2D([], [], color=colour, marker="s", markersize=5, linestyle="none"),
            Line2D([], [], color=PAPER, markeredgecolor=INK, marker="*", markersize=10, linestyle="none"),
        ]
        legend_below(drawing, marks, labels)
        text = svg(drawing, name)
    caption = (
        "The loss over intercept and slope; a contour joins equal losses, and darker is lower. The line is"
        " gradient descent, with a dot where it was after 1, 2, 3, ... steps, later ones thinned out."
    )
    columns = ["surface", "what", "x", "y", "excess_nats"]
    rows = [row for surface in surfaces for row in _rows(surface)]
    return Picture(name, "The likelihood and the way down", caption, text, columns, rows)


def _draw(axis: Axes, surface: Surface, most: float) -> Any:
    levels = [LEAST * (most / LEAST) ** (place / NUM_LEVELS) for place in range(NUM_LEVELS + 1)]
    grid = (surface.xs, surface.ys, surface.excess)
    filled = axis.contourf(*grid, levels, cmap=SEQUENTIAL, norm=LogNorm(LEAST, most), extend="min")
    axis.contour(*grid, levels, colors=PAPER, linewidths=0.4, alpha=0.6)
    colour = look(1).colour
    xs, ys = zip(*surface.path, strict=True)
    axis.plot(xs, ys, color=colour, linewidth=1, marker=".", markersize=4, clip_on=True)
    axis.plot(xs[:1], ys[:1], "s", color=colour, markersize=6)
    axis.plot(*surface.optimum, "*", color=PAPER, markeredgecolor=INK, markersize=11, zorder=4)
    axis.set_xlim(surface.xs[0], surface.xs[-1])
    axis.set_ylim(surface.ys[0], surface.ys[-1])
    axis.set_title(surface.label)
    axis.set_xlabel(surface.across)
    axis.set_ylabel(surface.upwards)
    axis.xaxis.set_major_locator(MaxNLocator(nbins=5))
    return filled


def _rows(surface: Surface) -> list[list[Cell]]:
    grid: list[list[Cell]] = [
        [surface.label, "grid", x, y, value]
        for y, row in zip(surface.ys, surface.excess, strict=True)
        for x, value in zip(surface.xs, row, strict=True)
    ]
    steps: list[list[Cell]] = [[surface.label, "step", x, y, None] for x, y in surface.path]
    return [*grid, *steps, [surface.label, "minimum", *surface.optimum, 0.0]]
