"""How every figure looks, and how it becomes text."""

import io
import math
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from typing import Any, NamedTuple

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, Locator, LogLocator, MaxNLocator, NullLocator

from seedbed.picture.labels import shorten, shortened

# Okabe and Ito (2008) without black and yellow, which a page of the same colour would swallow.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
MARKS = ("o", "s", "^", "D", "v", "P")
DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1.5, 1.2)))
INK, PAPER, FAINT = "#1f2328", "#ffffff", "#8b949e"
WIDTH = 7.2  # inches; a printed page's text
# Of a legend: inches a line, letters a line, letters that mark and gap take.
LINE, LINE_LETTERS, MARK_LETTERS = 0.19, 100, 7
# A logarithmic axis shorter than this is nearly a linear one; a longer one shows powers of ten only.
NARROW_DECADES, SPARSE_DECADES = 0.5, 4
STYLE: dict[str, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # comes with matplotlib, so the layout is the same everywhere
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "svg.fonttype": "none",  # text stays text: selectable, searchable, and read aloud
    "text.parse_math": False,  # a $ in a setting's name is a $
    **{f"{name}.color": INK for name in ("text", "xtick", "ytick")},
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.facecolor": "none",
    "figure.facecolor": PAPER,
}


class Look(NamedTuple):
    """What tells one series from the others."""

    colour: str
    mark: str
    dash: Any


def look(index: int) -> Look:
    """The look of series `index`, 0 or more: 18 different ones, then they repeat."""
    turn = index // len(COLOURS)
    place = index % len(COLOURS)
    return Look(COLOURS[place], MARKS[(place + turn) % len(MARKS)], DASHES[turn % len(DASHES)])


@contextmanager
def styled(name: str) -> Iterator[None]:
    """Matplotlib's own defaults and ours, whatever this machine's settings are.

    Args:
        name: of the figure, so that ids in one page differ.
    """
    with mpl.rc_context(), warnings.catch_warnings():
        mpl.rcdefaults()
        settings: Any = mpl.rcParams
        settings.update(STYLE | {"svg.hashsalt": name})
        # The reader's browser has the letters that the font for measuring lacks.
        warnings.filterwarnings("ignore", r"Glyph \d+")
        yield


def figure(
    height: float, num_rows: int = 1, num_columns: int = 1, width: float = WIDTH
) -> tuple[Figure, list[Axes]]:
    """An empty figure and its axes, row by row.

    Args:
        height: of the whole, in inches.
        num_rows: of axes.
        num_columns: of axes.
        width: of the whole, in inches.
    """
    made = Figure(figsize=(width, height), layout="constrained")
    axes = made.subplots(num_rows, num_columns, squeeze=False)
    return made, [axis for row in axes for axis in row]


def svg(drawing: Figure, name: str) -> str:
    """The figure as SVG text without date, program or address; ids start with the figure's name."""
    out = io.StringIO()
    nothing = {"Date": None, "Creator": None, "Format": None, "Type": None}
    drawing.savefig(out, format="svg", metadata=nothing)
    text = out.getvalue()
    text = text[text.index("<svg") :]
    text = _numbered(re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", text))
    return re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE)


def _numbered(text: str) -> str:
    """Ids by their order: matplotlib's are hashes of coordinates, whose last bit another machine rounds.

    Those of images, to which nothing points, are numbered one by one: equal images have equal hashes.
    """
    found: dict[str, str] = {}
    images = count(1)
    text = re.sub(r'-image[0-9a-f]{10}(?=")', lambda _: f"-image{next(images)}", text)

    def number(hashed: re.Match[str]) -> str:
        kind = hashed[1].strip("_0123456789")
        return found.setdefault(hashed[0], f"-{kind}{len(found) + 1}")

    return re.sub(r'-([a-z]|C\d+_\w+_)[0-9a-f]{10}(?=["\)])', number, text)


def inline(text: str, label: str) -> str:
    """An SVG text for the inside of an HTML page: it takes the page's ink and paper.

    Args:
        text: from `svg`.
        label: what a reader hears who does not see it; already escaped.
    """
    head = re.sub(r' (xmlns(:\w+)?|version)="[^"]*"', "", text[: text.index(">")])
    head = head.replace("<svg", f'<svg role="img" aria-label="{label}"')
    body = text[text.index(">") :].replace("xlink:href", "href")
    return head + body.replace(INK, "currentColor").replace(PAPER, "none")


def rows_of(axis: Axes, labels: Sequence[str]) -> None:
    """One line a label on the vertical axis, the first on top."""
    axis.set_yticks(range(len(labels)), shortened(labels))
    axis.set_ylim(len(labels) - 0.4, -0.6)
    axis.tick_params(axis="y", length=0)
    axis.grid(axis="x", color=FAINT, alpha=0.25, linewidth=0.6)


def legend_height(labels: Sequence[str]) -> float:
    """Inches that `legend_below` takes."""
    return LINE * -(-len(labels) // _columns(labels)) + 0.1


def _columns(labels: Sequence[str]) -> int:
    """How many of these labels fit side by side."""
    lengths = [len(shorten(label)) + MARK_LETTERS for label in labels]
    return len(labels) if sum(lengths) <= LINE_LETTERS else max(1, LINE_LETTERS // max(lengths))


def legend_below(drawing: Figure, handles: Sequence[Any], labels: Sequence[str]) -> None:
    """A legend under the axes, in as many columns as there is room for."""
    drawing.legend(handles, shortened(labels), loc="outside lower center", ncols=_columns(labels))


def logarithmic(axis: Axes, num_columns: int = 1) -> None:
    """A logarithmic horizontal scale with plain numbers: 0.001, not ten to the minus three.

    Args:
        axis: with everything drawn on it.
        num_columns: axes side by side; the more, the fewer ticks have room.
    """
    axis.set_xscale("log")
    plain_logarithmic(axis.xaxis, axis.get_xlim(), num_columns)


def plain_logarithmic(axis: Axis, limits: tuple[float, float], num_columns: int = 1) -> None:
    """Plain numbers at the ticks of an axis that has a logarithmic scale.

    Args:
        axis: horizontal or vertical.
        limits: its ends, both above 0, the lower first.
        num_columns: as in `logarithmic`.
    """
    low, high = limits
    decades = math.log10(high / low)
    locator: Locator = LogLocator(subs=_ticks(decades, num_columns))
    if decades < NARROW_DECADES:
        locator = MaxNLocator(nbins=6 // num_columns + 1)
    axis.set_major_locator(locator)
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_locator(NullLocator())


def _ticks(decades: float, num_columns: int) -> tuple[float, ...]:
    """Multiples of each power of ten that get a tick."""
    if decades * num_columns > SPARSE_DECADES:
        return (1.0,)
    return (1.0, 2.0, 5.0) if num_columns == 1 else (1.0, 3.0)
