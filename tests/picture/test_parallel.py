"""Parallel coordinates: where each trial's line runs, and what is left to the table."""

import math
import re
from collections.abc import Sequence

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from seedbed.picture.parallel import MAX_KEYS, parallel_coordinates
from seedbed.picture.search import Slice, Trials
from seedbed.picture.style import FAINT
from tests.picture.test_pictures import words

TRIALS = Trials(
    numbers=range(5),
    values=[0.5, 0.3, math.nan, 0.4, math.nan],
    pruned=[False, False, True, True, False],  # the last one failed
    objective="val/loss (nats)",
    lower_is_better=True,
)
RATE = Slice("lr", [0.001, 0.1, 0.01, 1.0, 10.0], logarithmic=True)
WIDTH = Slice("width", [16, 32, 64, None, 128], logarithmic=False)
WORD = Slice("activation", ["relu", "tanh", "relu", "relu", "gelu"], logarithmic=False)


def lines(drawn: Sequence[Figure]) -> list[Line2D]:
    (drawing,) = drawn
    return list(drawing.axes[0].lines)


def heights(line: Line2D) -> list[float]:
    return [float(value) for value in np.asarray(line.get_ydata())]


def test_pruned_trials_are_faint_and_below_and_the_best_is_on_top(drawn: list[Figure]) -> None:
    picture = parallel_coordinates(TRIALS, [RATE, WIDTH, WORD])
    found = lines(drawn)
    assert [line.get_color() == FAINT for line in found] == [True, True, False, False]  # none for the failed
    assert [line.get_linewidth() for line in found[2:]] == [1.1, 2.2]
    (worst, best) = found[2:]
    assert heights(best)[-1] < heights(worst)[-1]  # its loss is lower
    told = words(picture.svg)
    assert {"best of the finished, n = 2 trials", "ended early, n = 2 trials"} <= set(told)
    assert {"relu", "tanh", "lr", "(logarithmic)", "val/loss (nats)"} <= set(told)


def test_a_logarithmic_key_has_equal_factors_equally_far_apart(drawn: list[Figure]) -> None:
    values = Slice("lr", [0.001, 0.01, 0.1, 1.0, math.nan], logarithmic=True)
    finished = TRIALS._replace(pruned=[False] * 5, values=[0.4, 0.3, 0.2, 0.1, math.nan])
    parallel_coordinates(finished, [values])
    places = [heights(line)[0] for line in lines(drawn)]
    assert np.diff(places) == pytest.approx([places[1] - places[0]] * 3, rel=1e-9)
    assert 0 < places[0] < places[-1] < 1


def test_a_trial_without_a_value_of_a_key_has_a_gap_there(drawn: list[Figure]) -> None:
    parallel_coordinates(TRIALS, [RATE, WIDTH])
    without_loss, without_width = lines(drawn)[:2]
    assert [math.isnan(height) for height in heights(without_loss)] == [False, False, True]
    assert [math.isnan(height) for height in heights(without_width)] == [False, True, False]


def test_where_higher_is_better_the_highest_is_on_top(drawn: list[Figure]) -> None:
    parallel_coordinates(TRIALS._replace(lower_is_better=False), [RATE])
    assert heights(lines(drawn)[-1])[-1] > heights(lines(drawn)[-2])[-1]


@pytest.mark.parametrize("values", [[0.5] * 5, [0.0] * 5, [-2.0] * 5])
def test_values_that_are_all_the_same_have_an_axis_all_the_same(
    drawn: list[Figure], values: list[float]
) -> None:
    same = TRIALS._replace(values=values, pruned=[False] * 5)
    parallel_coordinates(same, [Slice("k", [1] * 5, logarithmic=True), Slice("j", values, logarithmic=False)])
    for line in lines(drawn):
        assert heights(line) == pytest.approx([0.5, 0.5, 0.5], abs=1e-9)


def test_one_trial_is_the_best(drawn: list[Figure]) -> None:
    one = Trials([0], [0.5], [False], "val/loss (nats)", lower_is_better=True)
    told = words(parallel_coordinates(one, [Slice("lr", [0.1], logarithmic=True)]).svg)
    assert "best of the finished, n = 1 trials" in told
    assert len(lines(drawn)) == 1


def test_of_many_keys_the_first_are_drawn_and_the_table_has_all() -> None:
    keys = [RATE._replace(key=f"group.key_{number}") for number in range(MAX_KEYS + 1)]
    picture = parallel_coordinates(TRIALS, keys)
    assert "Shown are the first 8 of 9 keys; the table has all." in picture.caption
    drawn = {text for text in words(picture.svg) if re.fullmatch(r"group.key_\d", text)}
    assert len(drawn) == MAX_KEYS
    assert list(picture.columns)[3:] == [key.key for key in keys]
    assert len(picture.rows) == 5
