"""A drawing with its caption beneath it, for whoever sees the file alone."""

import re
from html import escape
from textwrap import wrap

# In points, as matplotlib's drawings are.
SIZE, LEADING, MARGIN = 8.0, 11.0, 8.0
# Of a letter, in sizes; a caption of capitals alone would run over the edge.
LETTER = 0.56
FONTS = "DejaVu Sans, Verdana, sans-serif"
HEAD = re.compile(r'(<svg\b[^>]*?) height="[\d.]+pt" viewBox="0 0 ([\d.]+) ([\d.]+)"')


def captioned(svg: str, caption: str) -> str:
    """The drawing on a taller sheet, with these words below it.

    Args:
        svg: as matplotlib writes it.
        caption: whole sentences; broken into lines where the drawing ends.
    """
    found = HEAD.search(svg)
    assert found is not None, svg[:500]
    width, height = float(found[2]), float(found[3])
    lines = wrap(caption, int((width - 2 * MARGIN) / (LETTER * SIZE)))
    added = MARGIN + LEADING * len(lines)
    head = f'{found[1]} height="{height + added:g}pt" viewBox="0 0 {width:g} {height + added:g}"'
    sheet = f'<rect y="{height:g}" width="{width:g}" height="{added:g}" fill="#ffffff"/>'
    words = "\n".join(
        f'<tspan x="{MARGIN:g}" y="{height + LEADING * number:g}">{escape(line)}</tspan>'
        for number, line in enumerate(lines, 1)
    )
    text = f'<text font-family="{FONTS}" font-size="{SIZE:g}" fill="#262626">\n{words}\n</text>'
    body, end, rest = svg[found.end() :].rpartition("</svg>")
    return f"{svg[: found.start()]}{head}{body}{sheet}\n{text}\n{end}{rest}"
