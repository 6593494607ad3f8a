"""A document, written once and told twice: as one HTML page and as markdown."""

import base64
import html
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import starmap
from pathlib import Path
from typing import NamedTuple

from seedbed.picture.picture import Picture
from seedbed.picture.style import inline

CSS = Path(__file__).with_name("page.css")
# `like this`: set as code in both.
CODE = re.compile(r"`([^`]+)`")
NUMERIC = re.compile(r"[-+\[(]?\d")


class Text(NamedTuple):
    """One paragraph."""

    words: str


class Code(NamedTuple):
    """Something to type, or to read as it is."""

    words: str


class Items(NamedTuple):
    """A list; `warning` sets it off."""

    sentences: Sequence[str]
    warning: bool = False


class Links(NamedTuple):
    """Pages in the same folder: file to what it tells."""

    files: Mapping[str, str]


class Table(NamedTuple):
    """A table of texts."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]


class Figure(NamedTuple):
    """A picture with its caption and its numbers."""

    picture: Picture


class Folded(NamedTuple):
    """What is there for those who ask for it, under one line to click on."""

    title: str
    block: "Items | Table"


Block = Text | Code | Items | Links | Table | Figure | Folded


class Section(NamedTuple):
    """A heading and what stands under it."""

    title: str
    blocks: Sequence[Block]


def as_html(title: str, sections: Iterable[Section]) -> str:
    """One page that needs nothing else: styles, drawings and their numbers are inside."""
    body = "\n".join(_section(section) for section in sections)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>\n{CSS.read_text()}</style>\n</head>\n"
        f"<body>\n<main>\n<h1>{html.escape(title)}</h1>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _section(section: Section) -> str:
    blocks = "\n".join(_html(block) for block in section.blocks)
    return f"<section>\n<h2>{html.escape(section.title)}</h2>\n{blocks}\n</section>"


def _html(block: Block) -> str:
    if isinstance(block, Text):
        return f"<p>{_marked(block.words)}</p>"
    if isinstance(block, Code):
        return f"<pre><code>{html.escape(block.words)}</code></pre>"
    if isinstance(block, Items):
        items = "".join(f"<li>{_marked(sentence)}</li>" for sentence in block.sentences)
        return f'<ul class="{"warning" if block.warning else "plain"}">{items}</ul>'
    if isinstance(block, Links):
        return f"<ul>{''.join(starmap(_link, block.files.items()))}</ul>"
    if isinstance(block, Folded):
        return f"<details><summary>{html.escape(block.title)}</summary>\n{_html(block.block)}\n</details>"
    return _table(block) if isinstance(block, Table) else _figure(block.picture)


def _link(file: str, told: str) -> str:
    return f'<li><a href="{html.escape(file)}">{html.escape(file)}</a>: {_marked(told)}</li>'


def _marked(words: str) -> str:
    return CODE.sub(r"<code>\1</code>", html.escape(words))


def _table(table: Table) -> str:
    head = "".join(f"<th>{html.escape(cell)}</th>" for cell in table.head)
    rows = "\n".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in table.rows)
    body = f"<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody>"
    return f'<div class="wide"><table>\n{body}</table></div>'


def _cell(cell: str) -> str:
    kind = ' class="number"' if NUMERIC.match(cell) else ""
    return f"<td{kind}>{_marked(cell)}</td>"


def _figure(picture: Picture) -> str:
    name = f"{picture.name}.csv"
    data = base64.b64encode(picture.csv().encode()).decode()
    link = f'<a download="{name}" href="data:text/csv;base64,{data}">Numbers</a>'
    drawing = inline(picture.svg, html.escape(picture.title))
    caption = f"<b>{html.escape(picture.title)}.</b> {_marked(picture.caption)} {link}"
    return f"<figure>\n{drawing}<figcaption>{caption}</figcaption>\n</figure>"


def as_markdown(title: str, sections: Iterable[Section]) -> str:
    """The same for a page of a repository, its drawings in `figures/` beside it."""
    told = [f"# {_plain(title)}"]
    for section in sections:
        told += [f"## {_plain(section.title)}", *(_markdown(block) for block in section.blocks)]
    return "\n\n".join(told) + "\n"


def _markdown(block: Block) -> str:
    if isinstance(block, Text):
        return _plain(block.words)
    if isinstance(block, Code):
        return f"```\n{block.words}\n```"
    if isinstance(block, Items):
        return "\n".join(f"- {_plain(sentence)}" for sentence in block.sentences)
    if isinstance(block, Links):
        return "\n".join(f"- [{file}]({file}): {_plain(told)}" for file, told in block.files.items())
    if isinstance(block, Table):
        lines = [block.head, ["---"] * len(block.head), *block.rows]
        return "\n".join(f"| {' | '.join(map(_in_table, line))} |" for line in lines)
    if isinstance(block, Folded):
        inside = _markdown(block.block)
        return f"<details><summary>{_plain(block.title)}</summary>\n\n{inside}\n\n</details>"
    return _markdown_figure(block.picture)


def _markdown_figure(picture: Picture) -> str:
    drawing = f"![{picture.title}](figures/{picture.name}.svg)"
    numbers = f"[Numbers](figures/{picture.name}.csv)"
    return f"{drawing}\n\n**{picture.title}.** {_plain(picture.caption)} {numbers}"


def _plain(words: str) -> str:
    """Text that markdown does not take for HTML; what is code stays as it is."""
    parts = re.split(r"(`[^`]+`)", words)
    return "".join(part if part.startswith("`") else html.escape(part, quote=False) for part in parts)


def _in_table(cell: str) -> str:
    return _plain(cell).replace("|", r"\|").replace("\n", " ")
