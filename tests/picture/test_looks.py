"""What the pictures of weights, maps and embeddings show, number by number."""

import csv
import io

import matplotlib as mpl
import numpy as np
import pytest

from seedbed.picture.filters import Filters, filters
from seedbed.picture.maps import maps, overlaid
from seedbed.picture.path import penalty_path
from seedbed.picture.picture import Picture
from seedbed.picture.tiles import DIVERGING, enlarged, mosaic, reach, symmetric
from tests.picture.examples import DRAW, EASY
from tests.picture.looks import KIND, UNITS, points, shown, stops, weights
from tests.picture.test_pictures import words

ONE_LEVEL = 1 / 255  # of a colour


def table(picture: Picture) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(picture.csv())))


def test_the_diverging_scale_is_white_at_zero_and_as_far_from_it_on_both_sides() -> None:
    colours = symmetric(3.0).to_rgba(np.array([[-3.0, -1.5, 0.0, 1.5, 3.0]]))[0, :, :3]
    grey = colours @ (0.299, 0.587, 0.114)
    np.testing.assert_allclose(colours[2], 1, atol=0.04)
    assert grey[0] < grey[1] < grey[2] > grey[3] > grey[4]
    assert colours[0][2] > colours[0][0]  # blue below
    assert colours[4][0] > colours[4][2]  # red above
    np.testing.assert_array_equal(symmetric(3.0).get_clim(), (-3, 3))


def test_the_scale_s_two_ends_stay_apart_for_those_who_see_no_red_or_no_green() -> None:
    ends = mpl.colormaps[DIVERGING](np.array([0.1, 0.9]))[:, :3]
    # Viénot, Brettel and Mollon (1999): what a protanope and a deuteranope confuse is a mix of red and green.
    for mix in ((0.11, 0.89), (0.29, 0.71)):
        seen = np.stack([ends[:, :2] @ mix, ends[:, 2]], axis=1)
        assert np.abs(seen[0] - seen[1]).max() > 0.3


@pytest.mark.parametrize("count", [1, 2, 3, 5, 9])
def test_a_mosaic_holds_every_tile_once_and_nothing_else(count: int) -> None:
    tiles = [np.full((2, 3), float(place)) for place in range(count)]
    drawn = mosaic(tiles, 3)
    for place in range(count):
        assert (drawn == place).sum() == 6
    assert np.isfinite(drawn).sum() == 6 * count


def test_enlarging_repeats_pixels_and_mixes_none() -> None:
    values = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(enlarged(values, 4, 9), values.repeat(2, axis=0).repeat(3, axis=1))
    assert set(enlarged(values, 168, 168).flat) == set(values.flat)


def test_nothing_has_a_reach_of_zero() -> None:
    assert reach(np.zeros((2, 2))) == 1
    assert reach(np.array([[np.nan, -4.0, 3.0]])) == 4


@pytest.mark.parametrize(
    ("count", "shape", "told"),
    [
        (64, (1, 8, 8), "the first 64 of 256 are shown, not chosen by what they look like"),
        (64, (3, 11, 11), "The red, green and blue weights of a tile stand side by side"),
        (5, (1, 3, 3), "the first 5 of 256"),
    ],
)
def test_filters_say_how_many_and_which(count: int, shape: tuple[int, ...], told: str) -> None:
    given = weights(count, *shape)
    picture = filters(Filters(given, 256, "kernels", "Trained."))
    assert told in picture.caption
    assert f"kernels: n = {count} of 256" in words(picture.svg)
    assert "weight (per unit of input)" in words(picture.svg)
    rows = table(picture)
    assert len(rows) == given.size
    assert float(rows[-1]["weight"]) == given[-1, -1, -1, -1]


def test_a_map_hides_the_input_where_it_is_large_and_shows_it_where_it_is_zero() -> None:
    image, values = np.zeros((1, 2, 2)), np.array([[0.0, 5.0], [-5.0, 0.0]])
    image[0, 0, 0] = 1
    drawn = overlaid(image, values, symmetric(1.0))
    inked, positive, negative, blank = (
        drawn[row, column] for row, column in ((0, 0), (0, -1), (-1, 0), (-1, -1))
    )
    np.testing.assert_allclose(blank, 1, atol=ONE_LEVEL)
    np.testing.assert_allclose(inked, 0.7, atol=ONE_LEVEL)
    ends = symmetric(1.0).to_rgba(np.array([[-1.0, 1.0]]))[0, :, :3]
    np.testing.assert_allclose(negative, ends[0], atol=ONE_LEVEL)
    np.testing.assert_allclose(positive, ends[1], atol=ONE_LEVEL)


def test_maps_say_the_classes_the_probabilities_and_each_map_s_largest_value() -> None:
    given = shown(EASY)
    picture = maps(KIND, given, "")
    told = words(picture.svg)
    assert "true softmax: 1e-12" in told
    assert "said mlp: 0.99" in told
    assert f"to {np.abs(given[0].values).max():.3g} logits" in told
    assert "Integrated gradients, n = 6 examples" in told
    assert len(table(picture)) == 6 * 49


def test_an_embedding_counts_every_class_and_every_mistake() -> None:
    picture = DRAW["embedding"](EASY)
    told = words(picture.svg)
    assert {f"{name}, n = 20" for name in EASY} <= set(told)
    assert "misclassified, n = 9" in told
    assert "n = 60 examples" in told
    assert len(table(picture)) == 60


def test_of_many_classes_ten_are_named_and_the_others_counted_together() -> None:
    names = [f"class {number}" for number in range(12)]
    told = words(DRAW["embedding"](names).svg)
    assert len([text for text in told if text.startswith("class ")]) == 10
    assert "other classes, n = 10" in told
    assert not points(names).wrong.all()


def test_a_penalty_path_goes_from_strong_to_weak_each_row_on_its_own_scale() -> None:
    picture = penalty_path(stops(3)[::-1], EASY, UNITS, "of seed 0")
    rows = table(picture)
    assert [float(row["penalty"]) for row in rows[::3]] == [10.0**-place for place in range(1, 7)]
    assert {row["n"] for row in rows} == {"2"}
    assert float(rows[0]["test/accuracy"]) == pytest.approx(0.905)
    largest = np.abs(weights(3, 8, 8)).max(axis=(1, 2))
    assert [float(row["largest_weight"]) for row in rows[:3]] == pytest.approx(list(10 * largest))
    told = " ".join(words(picture.svg))
    assert "λ = 0.1" in told
    assert f"±{10 * largest.max():.2g}" in told
    assert "means over n = 2 runs a penalty" in told
    assert {"softmax", "mlp", "cnn"} <= set(words(picture.svg))
