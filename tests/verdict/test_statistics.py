"""Means and intervals against SciPy, statsmodels and sums written out."""

import numpy as np
import pytest
from scipy import optimize, special, stats
from statsmodels.stats.weightstats import DescrStatsW, ttost_paired

from seedbed.verdict.statistics import ALPHA, Estimate, Values, describe, estimate, spread

TOLERANCE = 1e-12  # float64 sums of a handful of numbers
QUANTILE_TOLERANCE = 1e-9  # of a root that is searched for


def sample(n: int) -> Values:
    return np.random.default_rng(n).normal(0.9, 0.01, n)


@pytest.mark.parametrize("n", [2, 3, 5, 30])
def test_mean_spread_and_interval_agree_with_statsmodels(n: int) -> None:
    found, reference = describe(sample(n)), DescrStatsW(sample(n))
    assert found.n == n
    assert found.mean == pytest.approx(reference.mean, rel=TOLERANCE)
    assert found.deviation == pytest.approx(reference.var_ddof(1) ** 0.5, rel=TOLERANCE)
    assert (found.low, found.high) == pytest.approx(reference.tconfint_mean(ALPHA), rel=TOLERANCE)


@pytest.mark.parametrize(
    ("values", "middle"),
    [
        ([5.0], 5.0),
        ([0.0, 1.0, 8.0], 3.0),  # a quarter of three is less than one run
        ([0.0, 1.0, 3.0, 100.0], 2.0),
        ([9.0, 0.0, 1.0, 2.0, 6.0, 7.0, 8.0, 99.0], 5.75),
    ],
)
def test_the_interquartile_mean_leaves_out_a_quarter_at_each_end(values: list[float], middle: float) -> None:
    assert describe(np.array(values)).interquartile_mean == pytest.approx(middle, rel=TOLERANCE)


def test_one_run_has_no_spread_and_no_interval() -> None:
    assert describe(np.array([0.9])) == (1, 0.9, None, None, None, 0.9)


def test_equal_values_have_an_interval_of_no_width_in_spite_of_rounding() -> None:
    values = np.array([0.1 + 0.2, 0.3, 0.3])
    assert values[0] != values[1]
    found = describe(values)
    assert (found.deviation, found.low) == (0.0, found.high)


def two_sided(statistic: float, freedom: float) -> float:
    """Student's t written as an incomplete beta function."""
    return float(special.betainc(freedom / 2, 0.5, freedom / (freedom + statistic**2)))


@pytest.mark.parametrize(("num_folds", "num_repeats"), [(2, 1), (5, 1), (10, 1), (5, 4)])
def test_folds_are_corrected_as_nadeau_and_bengio_write_it(num_folds: int, num_repeats: int) -> None:
    num_examples, num_runs = 60 * num_folds, num_folds * num_repeats
    differences = sample(num_runs) - 0.9
    tested, trained = num_examples // num_folds, num_examples - num_examples // num_folds
    mean = sum(differences) / num_runs
    variance = sum((value - mean) ** 2 for value in differences) / (num_runs - 1)
    error = ((1 / num_runs + tested / trained) * variance) ** 0.5
    found = estimate(differences, 1 / (num_folds - 1))
    assert found.p_value() == pytest.approx(two_sided(mean / error, num_runs - 1), rel=QUANTILE_TOLERANCE)
    quantile = optimize.brentq(lambda t: two_sided(t, num_runs - 1) - ALPHA, 1, 100, xtol=1e-13)
    assert found.interval() == pytest.approx(
        (mean - quantile * error, mean + quantile * error), rel=QUANTILE_TOLERANCE
    )
    described = describe(differences, 1 / (num_folds - 1))
    assert (described.low, described.high) == found.interval()


def test_folds_widen_the_interval_by_1_45_at_ten_folds() -> None:
    plain, corrected = describe(sample(10)), describe(sample(10), 1 / 9)
    assert plain.low is not None
    assert corrected.low is not None
    widening = (corrected.mean - corrected.low) / (plain.mean - plain.low)
    assert widening == pytest.approx((1 + 10 / 9) ** 0.5, rel=TOLERANCE)
    assert round(widening, 2) == 1.45


@pytest.mark.parametrize("n", [2, 5, 20])
def test_the_p_value_agrees_with_scipy(n: int) -> None:
    differences = sample(n) - 0.905
    assert estimate(differences).p_value() == pytest.approx(
        stats.ttest_1samp(differences, 0).pvalue, rel=1e-10
    )


@pytest.mark.parametrize("margin", [0.001, 0.005, 0.05])
def test_equivalence_agrees_with_statsmodels(margin: float) -> None:
    a, b = sample(8), sample(9)[:8]
    assert estimate(a - b).p_equivalent(margin) == pytest.approx(
        ttost_paired(a, b, -margin, margin)[0], rel=1e-10
    )


def test_a_spread_of_the_last_digits_is_none() -> None:
    assert spread(np.array([1.0, 1.0 + 1e-15])) == 0
    assert spread(np.array([1.0, 1.0 + 1e-9])) > 0
    assert spread(np.array([1e-15, 2e-15]), scale=1.0) == 0


def test_an_interval_is_symmetric_about_the_mean() -> None:
    low, high = Estimate(3.0, 0.5, 4).interval()
    assert (low + high) / 2 == pytest.approx(3.0, rel=TOLERANCE)
