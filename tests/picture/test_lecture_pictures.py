"""What the lecture's figures hold beside what every figure holds."""

import matplotlib as mpl
import pytest

from seedbed.picture.boundary import CLASS_COLOURS, DIVERGING, LEVELS
from seedbed.picture.net import MAX_UNITS, network
from seedbed.picture.surface import SEQUENTIAL
from tests.picture.examples import BOWL, COUNTED, DRAW, EASY, GRID, PLANES
from tests.picture.test_pictures import words

# Rec. 709: how light a colour looks.
WEIGHTS = (0.2126, 0.7152, 0.0722)


def lightness(colour: tuple[float, ...]) -> float:
    return sum(weight * part for weight, part in zip(WEIGHTS, colour[:3], strict=True))


def test_a_group_without_log_odds_has_none_in_the_table() -> None:
    rows = [row for row in DRAW["log_odds"](EASY).rows if str(row[0]).startswith("group")]
    assert [(row[0], row[3], row[4], row[5]) for row in rows] == [
        ("group of 0 in 3", None, None, 0.25),
        ("group of 2 in 3", 0.69, -1.3, 2.75),
        ("group of 3 in 3", None, -0.25, None),
    ]


def test_every_person_is_a_row_and_every_group_says_its_counts() -> None:
    picture = DRAW["dose_response"](EASY)
    assert sum(row[0] == "example" for row in picture.rows) == 6
    assert {"1/3", "2/3"} <= set(words(picture.svg))
    assert picture.rows[-1] == ["even odds", 40, None, 0.5, 35, 47, None]


def test_one_half_is_the_middle_of_the_diverging_map_and_both_ends_are_as_dark() -> None:
    assert [round(low + high, 12) for low, high in zip(LEVELS, LEVELS[::-1], strict=True)] == [1.0] * len(
        LEVELS
    )
    colours = mpl.colormaps[DIVERGING]
    middle = lightness(colours(0.5))
    for step in (0.1, 0.2, 0.3, 0.4, 0.5):
        below, above = lightness(colours(0.5 - step)), lightness(colours(0.5 + step))
        assert middle > max(below, above)
        assert below == pytest.approx(above, abs=0.15)
    assert max(lightness(mpl.colors.to_rgb(colour)) for colour in CLASS_COLOURS) < 0.2


def test_the_sequential_map_rises_evenly_in_lightness() -> None:
    ramp = [lightness(mpl.colormaps[SEQUENTIAL](place / 20)) for place in range(21)]
    assert ramp == sorted(ramp)


def test_a_surface_keeps_its_grid_its_steps_and_its_minimum() -> None:
    rows = DRAW["likelihood_surface"](EASY).rows
    ours = [row for row in rows if row[0] == BOWL.label]
    assert sum(row[1] == "grid" for row in ours) == len(GRID) ** 2
    assert [tuple(row[2:4]) for row in ours if row[1] == "step"] == BOWL.path
    assert ours[-1] == [BOWL.label, "minimum", 0.0, 0.0, 0.0]


def test_a_plane_keeps_every_probability_drawn() -> None:
    rows = DRAW["decision_boundary"](EASY).rows
    assert sum(row[1] == "example" for row in rows) == 3
    assert sum(row[0] == PLANES[1].label for row in rows) == len(GRID) ** 2


def test_a_histogram_counts_what_it_does_not_draw() -> None:
    rows = [row for row in DRAW["histograms"](EASY).rows if row[0] == COUNTED[0].label]
    assert sum(int(row[4] or 0) for row in rows) == 19
    assert rows[-1][1:] == ["outside", None, None, 2]


def test_a_wide_layer_is_drawn_in_part_and_told_in_full() -> None:
    picture = network([784, 256, 10], ["pixels", "hidden units", "logits"])
    assert picture.title == "A network of 203,530 parameters"
    told = " ".join(words(picture.svg))
    assert "784 x 256 + 256 = 200,960" in told
    assert "256 x 10 + 10 = 2,570" in told
    # Each of the drawn units of a layer is joined to each of the next; two squares are markers.
    drawn = 2 * MAX_UNITS * MAX_UNITS + 2 * MAX_UNITS
    assert picture.svg.count('<g id="network-line2d_') == drawn + 2
