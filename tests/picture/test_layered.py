"""Boxes in layers: downwards, apart, untangled."""

from itertools import combinations, pairwise

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression

from seedbed.picture import layered
from seedbed.picture.layered import Arrow, Layout, placed

LADDER = [
    ("x", "a"),
    ("w", "a"),
    ("a", "b"),
    ("v", "b"),
    ("b", "end"),
    ("w", "price"),
    ("v", "price"),
    ("price", "end"),
    ("a", "aside"),
]


def made(arrows: list[Arrow], root: str = "end") -> Layout:
    names = dict.fromkeys(name for arrow in arrows for name in arrow)
    return placed({name: (1.0 + 0.1 * place, 0.5) for place, name in enumerate(names)}, arrows, root)


def test_every_arrow_leads_down_from_edge_to_edge() -> None:
    layout = made(LADDER)
    assert set(layout.routes) == set(LADDER)
    for (source, target), points in layout.routes.items():
        assert points[0] == pytest.approx((layout.centres[source][0], layout.centres[source][1] + 0.25))
        assert points[-1] == pytest.approx((layout.centres[target][0], layout.centres[target][1] - 0.25))
        assert all(first[1] < second[1] for first, second in pairwise(points))


def test_boxes_lie_apart_and_inside() -> None:
    layout = made(LADDER)
    widths = {name: 1.0 + 0.1 * place for place, name in enumerate(layout.centres)}
    for (first, (x0, y0)), (second, (x1, y1)) in combinations(layout.centres.items(), 2):
        assert (
            abs(y0 - y1) > 0.5 or abs(x0 - x1) >= (widths[first] + widths[second]) / 2 + layered.APART - 1e-3
        )
    assert all(width / 2 - 1e-3 <= layout.centres[name][0] for name, width in widths.items())
    assert all(layout.centres[name][0] + width / 2 <= layout.width + 1e-3 for name, width in widths.items())
    assert all(0.25 <= y <= layout.height - 0.25 for _, y in layout.centres.values())


def test_what_leads_to_the_root_lies_low_and_what_does_not_follows_its_source() -> None:
    centres = made(LADDER).centres
    rows = sorted({round(y, 6) for _, y in centres.values()})
    row = {name: rows.index(round(y, 6)) for name, (_, y) in centres.items()}
    assert row == {"x": 0, "w": 0, "a": 1, "v": 1, "b": 2, "price": 2, "aside": 2, "end": 3}


def test_a_chain_is_straight() -> None:
    layout = made(list(pairwise(["first", "second", "third", "end"])))
    assert len({round(x, 3) for x, _ in layout.centres.values()}) == 1


@pytest.mark.parametrize("seed", range(5))
def test_arrows_that_need_not_cross_do_not(seed: int) -> None:
    random = np.random.default_rng(seed)
    arrows = (
        [(f"a{i}", f"b{i}") for i in range(5)]
        + [(f"b{i}", "end") for i in range(5)]
        + [("a0", "c"), ("c", "end")]
    )
    centres = made([arrows[place] for place in random.permutation(len(arrows))]).centres
    upper = sorted((name for name in centres if name[0] == "a"), key=lambda name: centres[name][0])
    lower = sorted((name for name in centres if name[0] == "b"), key=lambda name: centres[name][0])
    assert [name[1] for name in upper] == [name[1] for name in lower]


@pytest.mark.parametrize("seed", range(5))
def test_places_are_the_nearest_that_do_not_overlap(seed: int) -> None:
    random = np.random.default_rng(seed)
    wanted, widths = random.normal(0, 3, 7), random.uniform(0.5, 2, 7)
    taken = np.concatenate([[0.0], np.cumsum((widths[1:] + widths[:-1]) / 2 + layered.APART)])
    expected = IsotonicRegression().fit_transform(np.arange(7), wanted - taken) + taken
    np.testing.assert_allclose(layered._apart(wanted.tolist(), widths.tolist()), expected)
