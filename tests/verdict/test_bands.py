"""The interval of a mean curve against enumeration, and against Student's t where it is that."""

from itertools import product

import numpy as np
import pytest
from scipy import stats

from seedbed.verdict.bands import FEWEST, Curves, band, bootstrapped
from seedbed.verdict.statistics import estimate

TOLERANCE = 1e-12
# 9,999 draws against all of them: a tail of half a per cent is counted to about 0.0007.
DRAWN = 0.06


def curves(num_runs: int, num_epochs: int = 4) -> Curves:
    return np.random.default_rng(num_runs).normal(1, 0.1, (num_epochs, num_runs))


@pytest.mark.parametrize("num_runs", [2, 3, FEWEST - 1])
def test_few_runs_have_student_s_t(num_runs: int) -> None:
    values = curves(num_runs)
    found = band(values)
    low, high = stats.t.interval(0.95, num_runs - 1, values.mean(1), stats.sem(values, axis=1))
    assert found.kind == "t"
    assert found.low == pytest.approx(low, rel=TOLERANCE)
    assert found.high == pytest.approx(high, rel=TOLERANCE)


def test_folds_have_the_corrected_t_however_many_they_are() -> None:
    values = curves(10)
    found = band(values, ratio=1 / 9)
    low, high = zip(*(estimate(row, 1 / 9).interval() for row in values), strict=True)
    assert found.kind == "t"
    assert (tuple(found.low), tuple(found.high)) == (low, high)


def test_one_run_has_no_interval() -> None:
    found = band(curves(1))
    assert found.kind == "none"
    assert np.isnan([found.low, found.high]).all()


def test_a_bootstrap_agrees_with_all_draws() -> None:
    values = np.random.default_rng(5).normal(size=(1, 5))
    means = np.array([np.mean(drawn) for drawn in product(values[0], repeat=5)])
    reach = stats.t.ppf(0.975, 4) * (5 / 4) ** 0.5  # Hesterberg's expansion
    expected = np.quantile(means, [stats.norm.cdf(-reach), stats.norm.cdf(reach)])
    (low,), (high,) = bootstrapped(values)
    assert (low, high) == pytest.approx(expected, abs=DRAWN * values.std())


@pytest.mark.parametrize("num_runs", [FEWEST, 20])
def test_many_runs_have_a_bootstrap_about_as_wide_as_student_s_t(num_runs: int) -> None:
    values = curves(num_runs, 50)
    found = band(values)
    low, high = stats.t.interval(0.95, num_runs - 1, values.mean(1), stats.sem(values, axis=1))
    assert found.kind == "bootstrap"
    assert np.median((found.high - found.low) / (high - low)) == pytest.approx(1, abs=0.05)


def test_whole_runs_are_drawn_the_same_at_every_epoch_and_each_time() -> None:
    values = np.repeat(curves(FEWEST, 1), 3, axis=0)
    found = band(values)
    assert len(set(found.low)) == len(set(found.high)) == 1
    again = band(values)
    assert (list(again.low), list(again.high)) == (list(found.low), list(found.high))
    # Runs that differ by a constant over all epochs keep the band's width.
    moved = band(values + np.array([[0.0], [1.0], [2.0]]))
    assert moved.high - moved.low == pytest.approx(found.high - found.low, rel=1e-9)


def test_runs_that_are_all_equal_have_a_band_of_no_width() -> None:
    found = band(np.full((2, FEWEST), 0.5))
    assert found.low == pytest.approx([0.5, 0.5], rel=TOLERANCE)
    assert found.high == pytest.approx([0.5, 0.5], rel=TOLERANCE)
