"""A graph of boxes and arrows, such as a computation: forwards or backwards."""

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Patch
from matplotlib.path import Path
from matplotlib.textpath import TextToPath

from seedbed.picture.labels import shorten
from seedbed.picture.layered import Point, placed
from seedbed.picture.style import COLOURS, FAINT, INK, PAPER, WIDTH, figure, styled, svg

TITLE_SIZE, LINE_SIZE = 9.0, 7.5  # points
POINT = 1 / 72  # inches
# Inches: between lines, around a box's text, around the drawing, for the head and for the legend.
LEADING, MARGIN, EDGE, HEAD, LEGEND = 0.145, 0.09, 0.12, 0.3, 0.32
MAX_LETTERS = 44
# A reader's own font may be wider than the one that texts are measured in.
SLACK = 1.06


class Border(NamedTuple):
    """What tells a kind of box from the others beside its colour."""

    shape: str
    width: float
    dash: Any


ROUND, SQUARE = "round,pad=0,rounding_size=0.07", "square,pad=0"
BORDERS = (
    Border(SQUARE, 1.0, "-"),
    Border(ROUND, 1.0, "-"),
    Border(SQUARE, 1.0, "--"),
    Border(SQUARE, 2.2, "-"),
    Border(ROUND, 1.0, ":"),
)


class Box(NamedTuple):
    """One box.

    Args:
        name: that no other box has.
        title: its first line.
        lines: what stands below, one or more words each.
        kind: one of the diagram's kinds.
    """

    name: str
    title: str
    lines: Sequence[str]
    kind: str


class Arrow(NamedTuple):
    """From one box to another; a faint one is beside the point."""

    source: str
    target: str
    faint: bool = False


class Diagram(NamedTuple):
    """Boxes and arrows, without a cycle.

    Args:
        head: the drawing's own first line; says how many examples.
        boxes: in the order that decides between equals.
        arrows: between them; where the arrows point upwards, still from above to below.
        root: name of the box that all is about.
        kinds: each kind of box with its word in the legend; at most five.
        upwards: whether arrows point to their source.
    """

    head: str
    boxes: Sequence[Box]
    arrows: Sequence[Arrow]
    root: str
    kinds: Mapping[str, str]
    upwards: bool = False


def drawn(name: str, diagram: Diagram) -> str:
    """The diagram as an SVG text.

    Args:
        name: of the picture.
        diagram: with at least one box.
    """
    sizes = {box.name: _size(box) for box in diagram.boxes}
    layout = placed(sizes, [(arrow.source, arrow.target) for arrow in diagram.arrows], diagram.root)
    with styled(name):
        width = max(WIDTH, layout.width + 2 * EDGE)
        height = layout.height + 2 * EDGE + HEAD + LEGEND
        drawing, (axis,) = figure(height, width=width)
        drawing.set_layout_engine("none")
        axis.set_position((0, 0, 1, 1))
        axis.set_axis_off()
        left, top = (width - layout.width) / 2, EDGE + HEAD
        axis.set_xlim(-left, width - left)
        axis.set_ylim(height - top, -top)
        for arrow in diagram.arrows:
            points = layout.routes[arrow.source, arrow.target]
            _draw_arrow(axis, points[::-1] if diagram.upwards else points, arrow.faint)
        for box in diagram.boxes:
            look = list(diagram.kinds).index(box.kind)
            _draw_box(axis, box, layout.centres[box.name], sizes[box.name], look)
        axis.text(-left + EDGE, -top + EDGE, diagram.head, fontsize=TITLE_SIZE, va="top")
        _legend(drawing, diagram)
        return svg(drawing, name)


def _size(box: Box) -> Point:
    title = _letters(shorten(box.title, MAX_LETTERS), TITLE_SIZE, bold=True)
    lines = [_letters(shorten(line, MAX_LETTERS), LINE_SIZE) for line in box.lines]
    return max(title, *lines, 0.5) + 2 * MARGIN, LEADING * (1 + len(lines)) + 2 * MARGIN - 0.02


@cache
def _letters(text: str, size: float, *, bold: bool = False) -> float:
    """Width of a text in inches."""
    font = FontProperties(family="DejaVu Sans", size=size, weight="bold" if bold else "normal")
    width, _, _ = TextToPath().get_text_width_height_descent(text, font, ismath=False)
    return float(width) * POINT * SLACK


def _draw_box(axis: Axes, box: Box, centre: Point, size: Point, look: int) -> None:
    (x, y), (width, height) = centre, size
    corner, colour, border = (x - width / 2, y - height / 2), COLOURS[look], BORDERS[look]
    # Paper, a pale face, an edge: arrows end at the edge and do not shine through the letters.
    paints: tuple[dict[str, Any], ...] = (
        {"facecolor": PAPER, "linewidth": 0},
        {"facecolor": colour, "linewidth": 0, "alpha": 0.12},
        {"facecolor": "none", "edgecolor": colour, "linewidth": border.width, "linestyle": border.dash},
    )
    for paint in paints:
        axis.add_patch(FancyBboxPatch(corner, width, height, boxstyle=border.shape, **paint))
    line = y - height / 2 + MARGIN + LEADING / 2 - 0.01
    title = shorten(box.title, MAX_LETTERS)
    axis.text(x, line, title, fontsize=TITLE_SIZE, weight="bold", ha="center", va="center")
    for number, text in enumerate(box.lines, 1):
        place = line + number * LEADING
        axis.text(x, place, shorten(text, MAX_LETTERS), fontsize=LINE_SIZE, ha="center", va="center")


def _draw_arrow(axis: Axes, points: Sequence[Point], faint: bool) -> None:
    """A smooth line that leaves and arrives upright."""
    corners, codes = [points[0]], [Path.MOVETO]
    for (x0, y0), (x1, y1) in pairwise(points):
        corners += [(x0, (y0 + y1) / 2), (x1, (y0 + y1) / 2), (x1, y1)]
        codes += [Path.CURVE4] * 3
    axis.add_patch(
        FancyArrowPatch(
            path=Path(corners, codes),
            arrowstyle="-|>",
            mutation_scale=8,
            color=FAINT if faint else INK,
            linewidth=0.8,
            linestyle="--" if faint else "-",
        )
    )


def _legend(drawing: Figure, diagram: Diagram) -> None:
    shown = [kind for kind in diagram.kinds if any(box.kind == kind for box in diagram.boxes)]
    looks = [list(diagram.kinds).index(kind) for kind in shown]
    handles = [
        Patch(facecolor=f"{COLOURS[look]}1f", edgecolor=COLOURS[look], linestyle=BORDERS[look].dash)
        for look in looks
    ]
    words = [diagram.kinds[kind] for kind in shown]
    drawing.legend(handles, words, loc="lower center", ncols=len(handles))
