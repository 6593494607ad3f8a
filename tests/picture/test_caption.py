"""The caption inside a drawing's file."""

import itertools
import re
from xml.etree import ElementTree as ET

import pytest

from seedbed.picture.caption import LEADING, captioned

SVG = "{http://www.w3.org/2000/svg}"
DRAWING = (
    '<?xml version="1.0"?>\n<svg width="200pt" height="100pt" viewBox="0 0 200 100"'
    ' xmlns="http://www.w3.org/2000/svg" version="1.1">\n <g id="a"><path d="M 0 0"/></g>\n</svg>\n'
)
CAPTION = "Two words & <three>; " * 10


def parsed(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314 - our own words


@pytest.mark.parametrize("caption", ["Short.", CAPTION])
def test_all_words_stand_below_the_drawing_on_a_taller_sheet(caption: str) -> None:
    made = parsed(captioned(DRAWING, caption))
    lines = made.findall(f".//{SVG}tspan")
    assert " ".join(str(line.text) for line in lines) == caption.strip()
    places = [float(line.attrib["y"]) for line in lines]
    height = float(made.attrib["height"].removesuffix("pt"))
    assert made.attrib["viewBox"] == f"0 0 200 {height:g}"
    assert places[0] > 100
    assert places[-1] < height < places[-1] + LEADING
    assert all(after - before == LEADING for before, after in itertools.pairwise(places))


def test_the_drawing_stays_as_it_is() -> None:
    made = captioned(DRAWING, CAPTION)
    assert '<g id="a"><path d="M 0 0"/></g>' in made
    assert re.findall(r'width="([^"]+)"', made)[0] == "200pt"
    assert captioned(DRAWING, CAPTION) == made
