"""The rules that every picture keeps: n, units, colours for the colour-blind, the same bytes anywhere."""

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pytest
from jaxtyping import Float64
from matplotlib.axis import Axis, YAxis
from matplotlib.figure import Figure

from seedbed import picture
from seedbed.picture.parallel import shade
from seedbed.picture.picture import NAMES, Picture
from seedbed.picture.style import COLOURS, FAINT, INK, look
from tests.picture.conftest import drawn_by
from tests.picture.examples import DRAW, EASY
from tests.picture.test_pictures import ticks, words

LIMIT_SECONDS = 120
# What a label says of its unit: in its last brackets, or as the word itself.
UNITS = (
    *("nats", "share", "seconds", "points", "years", "pixels", "logarithmic"),
    *(
        "probability",
        "logit",
        "number of",
        "count",
        "% of the variance",
        "as in the data",
        "unit of input",
        "arbitrary unit",
    ),
)
# Numbers without a unit, and why they have none.
UNITLESS = {
    "epoch": "a count",
    "trial": "a number that tells trials apart",
    "number of trials": "a count",
    "x": "a column of the example",
    "y": "another column of the example",
    "model.width": "a tuned key: its unit is part of its name, or stands in the help",
}
# Pictures of something whole, behind which no number of examples stands.
UNCOUNTED = ("network",)
# Distance in CIELAB (CIE76) that two series keep at least, however one sees; some 2 can just be told.
LEAST_DISTANCE = 15
# Of full severity, on linear RGB. Source: Machado, Oliveira and Fernandes 2009.
VISION = {
    "full": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}
PROGRAM = """
import json
from tests.picture.examples import DRAW, EASY
from tests.picture.test_rules import digests
print(json.dumps(digests(draw(EASY) for draw in DRAW.values())))
"""
Colour = Float64[np.ndarray, "3"]
Examples = Mapping[str, tuple[Picture, Figure]]


@pytest.fixture(scope="module")
def examples() -> Examples:
    """Every example with the figure that it was drawn as."""
    made = {}
    for name, draw in DRAW.items():
        with drawn_by() as figures:
            drawn = draw(EASY)
        made[name] = (drawn, figures[0])
    return made


def test_every_picture_has_an_example() -> None:
    assert set(DRAW) == set(NAMES)
    assert len(NAMES) == len(set(NAMES))


def test_every_picture_is_in_the_gallery() -> None:
    gallery = (Path(picture.__file__).parent / "README.md").read_text()
    assert [name for name in NAMES if f"| `{name}` |" not in gallery] == []


@pytest.mark.parametrize("name", [name for name in NAMES if name not in UNCOUNTED])
def test_every_picture_says_how_many_stand_behind_it(examples: Examples, name: str) -> None:
    assert any(re.search(r"\bn = \d", text) for text in words(examples[name][0].svg))


@pytest.mark.parametrize("name", NAMES)
def test_every_axis_of_numbers_has_a_unit_or_a_reason_why_not(examples: Examples, name: str) -> None:
    _, drawing = examples[name]
    for axis in drawing.findobj(Axis):
        if all(re.search(r"[^\W\d_]{2}", text.get_text()) for text in ticks(axis)):
            continue  # names, or nothing
        label = label_of(axis, drawing)
        known = label in UNITLESS or any(unit in label for unit in UNITS)
        assert known, f"{name}: the axis {label!r} names no unit; UNITLESS takes a reason"


def label_of(axis: Axis, drawing: Figure) -> str:
    """The label of the axis, of the figure where that has one for all, or the name below a parallel axis."""
    axes = axis.axes
    own = axis.get_label_text()
    if own or not isinstance(axis, YAxis):
        return own
    if axis.get_ticks_position() == "left":
        return drawing.get_supylabel()
    names = [text.get_text() for text in ticks(drawing.axes[0].xaxis)]
    place = float(axes.spines["right"].get_position()[1])  # of parallel axes, from 0 to 1
    return names[round(place * (len(names) - 1))].replace("\n", " ")


@pytest.mark.parametrize("name", NAMES)
def test_the_numbers_behind_every_picture_are_a_table(examples: Examples, name: str) -> None:
    made, _ = examples[name]
    assert made.rows
    assert {len(row) for row in made.rows} == {len(made.columns)}
    assert len(set(made.columns)) == len(made.columns)


@pytest.mark.parametrize("name", NAMES)
def test_ids_are_numbers_and_what_they_name_is_there_once(examples: Examples, name: str) -> None:
    svg = examples[name][0].svg
    ids = re.findall(r'\bid="([^"]+)"', svg)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'(?:href="#|url\(#)([^")]+)', svg)) <= set(ids)
    assert [found for found in ids if re.search(r"[0-9a-f]{10}", found)] == []


def digests(pictures: Iterable[Picture]) -> dict[str, str]:
    """Of each, all that it consists of."""
    return {one.name: hashlib.sha256(repr((one, one.csv())).encode()).hexdigest() for one in pictures}


def test_another_process_with_other_settings_and_another_locale_draws_the_same_bytes(
    examples: Examples, tmp_path: Path
) -> None:
    other = ("font.size: 20", "axes.grid: True", "svg.fonttype: path", "axes.formatter.use_locale: True")
    (tmp_path / "matplotlibrc").write_text("\n".join(other))
    settings = {
        "MATPLOTLIBRC": str(tmp_path / "matplotlibrc"),
        "PYTHONHASHSEED": "12345",
        "LC_ALL": "C",
        "PYTHONUTF8": "0",
        "TZ": "Asia/Kolkata",
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=Path(__file__).parents[2],
        env=os.environ | settings,
        capture_output=True,
        text=True,
        check=True,
        timeout=LIMIT_SECONDS,
    )
    assert json.loads(done.stdout) == digests(made for made, _ in examples.values())


@pytest.mark.parametrize("vision", VISION)
def test_series_are_told_apart_by_the_colour_blind(vision: str) -> None:
    seen = {colour: lab(linear(colour), vision) for colour in (*COLOURS, INK)}
    for first, second in combinations(seen, 2):
        assert distance(seen[first], seen[second]) >= LEAST_DISTANCE, (first, second)


@pytest.mark.parametrize("vision", VISION)
def test_a_line_that_counts_for_less_is_told_from_those_of_the_map(vision: str) -> None:
    faint = lab(linear(FAINT), vision)
    ends = [lab(linear_of(shade(share)), vision) for share in (0.0, 1.0)]
    assert min(distance(faint, end) for end in ends) >= LEAST_DISTANCE


@pytest.mark.parametrize("vision", VISION)
def test_the_map_of_a_search_gets_darker_all_the_way(vision: str) -> None:
    lightness = [lab(linear_of(shade(share)), vision)[0] for share in np.linspace(0, 1, 12)]
    assert all(after < before for before, after in pairwise(lightness))
    assert lightness[0] - lightness[-1] > 50  # of 100


def linear(colour: str) -> Colour:
    """Linear RGB of #rrggbb."""
    return linear_of([int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)])


def linear_of(values: "list[float] | tuple[float, ...]") -> Colour:
    """Linear RGB of sRGB values from 0 to 1. Source: IEC 61966-2-1."""
    given = np.array(values[:3], dtype=float)
    return np.where(given <= 0.04045, given / 12.92, ((given + 0.055) / 1.055) ** 2.4)


def lab(colour: Colour, vision: str) -> Colour:
    """CIELAB, white D65, of a colour as it is seen. Source: CIE 15:2004."""
    to_xyz = np.array(
        [
            [0.4124564, 0.3575761, 0.1804375],
            [0.2126729, 0.7151522, 0.0721750],
            [0.0193339, 0.1191920, 0.9503041],
        ]
    )
    seen = np.clip(np.array(VISION[vision]) @ colour, 0, 1)
    ratio = to_xyz @ seen / to_xyz.sum(axis=1)
    root = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * root[1] - 16, 500 * (root[0] - root[1]), 200 * (root[1] - root[2])])


def distance(first: Colour, second: Colour) -> float:
    return float(np.linalg.norm(first - second))


def test_white_is_white_and_a_known_colour_is_where_it_is_known_to_be() -> None:
    assert lab(linear("#ffffff"), "full") == pytest.approx([100, 0, 0], abs=0.02)
    assert lab(linear("#ff0000"), "full") == pytest.approx([53.24, 80.09, 67.20], abs=0.02)


def test_more_series_than_colours_differ_in_mark_or_dash() -> None:
    assert len({(one.mark, str(one.dash)) for one in (look(index) for index in range(0, 18, 6))}) == 3
