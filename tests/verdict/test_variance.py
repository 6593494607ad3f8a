"""Shares of the variance, and the expected best of k trials, against brute force."""

from collections.abc import Callable, Sequence
from itertools import permutations, product
from typing import Literal

import numpy as np
import pytest
from scipy import integrate, special, stats

from seedbed.verdict.budget import best_in_any_order, expected_best
from seedbed.verdict.statistics import ALPHA, Values
from seedbed.verdict.variance import variance_shares

TOLERANCE = 1e-12
INTEGRATED = 1e-6


def sample(n: int, deviation: float = 1.0) -> Values:
    return np.random.default_rng(n).normal(0, deviation, n)


def test_a_share_is_a_ratio_of_variances_and_the_largest_comes_first() -> None:
    groups = {"init": sample(10), "order": sample(12, 3.0)}
    total = sample(20, 5.0)
    first, second = variance_shares(groups, total)
    assert (first.stream, second.stream, first.n, second.n) == ("order", "init", 12, 10)
    assert second.deviation == pytest.approx(np.std(groups["init"], ddof=1), rel=TOLERANCE)
    assert first.share == pytest.approx(
        np.var(groups["order"], ddof=1) / np.var(total, ddof=1), rel=TOLERANCE
    )


def chi_square_density(x: float, freedom: int) -> float:
    return float(x ** (freedom / 2 - 1) * np.exp(-x / 2) / (2 ** (freedom / 2) * special.gamma(freedom / 2)))


def test_the_interval_of_a_deviation_leaves_a_fortieth_of_chi_square_at_each_end() -> None:
    (share,) = variance_shares({"init": sample(8)}, sample(20))
    below, _ = integrate.quad(chi_square_density, 0, 7 * (share.deviation / share.high) ** 2, args=(7,))
    above, _ = integrate.quad(chi_square_density, 7 * (share.deviation / share.low) ** 2, 200, args=(7,))
    assert (below, above) == pytest.approx((0.025, 0.025), rel=INTEGRATED)


def test_the_interval_of_a_share_leaves_a_fortieth_of_f_at_each_end() -> None:
    (found,) = variance_shares({"init": sample(8)}, sample(20))

    def f_below(x: float) -> float:  # F with 7 and 19 degrees of freedom, as an incomplete beta function
        return float(special.betainc(7 / 2, 19 / 2, 7 * x / (7 * x + 19)))

    assert f_below(found.share / found.share_high) == pytest.approx(0.025, rel=INTEGRATED)
    assert 1 - f_below(found.share / found.share_low) == pytest.approx(0.025, rel=INTEGRATED)


def test_both_intervals_cover_in_simulated_studies() -> None:
    rng, num_studies = np.random.default_rng(0), 2_000
    held = np.zeros(2)
    for _ in range(num_studies):
        (found,) = variance_shares({"init": rng.normal(0, 1, 6)}, rng.normal(0, 2, 11))
        held += [found.low <= 1 <= found.high, found.share_low <= 0.25 <= found.share_high]
    # Five standard deviations of a binomial share.
    assert held / num_studies == pytest.approx(0.95, abs=5 * (0.95 * 0.05 / num_studies) ** 0.5)


def test_a_stream_that_moves_nothing_has_no_share() -> None:
    (found,) = variance_shares({"dropout": np.array([0.9, 0.9, 0.9])}, sample(5))
    assert (found.deviation, found.low, found.high, found.share, found.share_high) == (0, 0, 0, 0, 0)


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_the_expected_best_agrees_with_all_draws(n: int) -> None:
    values = sample(n)
    for direction, best in (("higher", max), ("lower", min)):
        expected = [np.mean([best(draw) for draw in product(values, repeat=k)]) for k in range(1, n + 1)]
        assert expected_best(values, direction) == pytest.approx(expected, rel=1e-9)  # type: ignore[arg-type]


@pytest.mark.parametrize("n", [1, 2, 3, 6])
@pytest.mark.parametrize(("direction", "best"), [("higher", max), ("lower", min)])
def test_the_best_in_any_order_is_the_middle_of_all_orders(
    n: int, direction: Literal["lower", "higher"], best: Callable[[Sequence[float]], float]
) -> None:
    values = sample(n)
    low, high = best_in_any_order(values, direction)
    for k in range(1, n + 1):
        found = np.array([best(order[:k]) for order in permutations(values.tolist())])
        assert np.mean(found < low[k - 1]) <= ALPHA / 2
        assert np.mean(found > high[k - 1]) <= ALPHA / 2
        # The next value inside would leave out too many.
        assert np.mean(found <= low[k - 1]) > ALPHA / 2 or n == 1
        assert np.mean(found >= high[k - 1]) > ALPHA / 2 or n == 1
    assert low[-1] == high[-1] == best(values.tolist())


def test_the_best_in_any_order_of_many_trials_is_a_matter_of_ranks() -> None:
    low, high = best_in_any_order(np.arange(40.0), "higher")
    assert (low[0], high[0]) == (0, 38)  # 1 of 40 is exactly the tail
    ranks = [stats.hypergeom(40, 40 - rank, 10).pmf(0) for rank in range(1, 41)]  # none of 10 is above
    assert low[9] == next(rank for rank, share in enumerate(ranks) if share >= ALPHA / 2)
    assert np.all(np.diff(low) >= 0)
    assert np.all(np.diff(high) >= 0)


def test_the_expected_best_of_one_trial_is_the_mean_and_gets_better() -> None:
    values = sample(50)
    found = expected_best(values, "lower")
    assert found[0] == pytest.approx(values.mean(), rel=1e-9)
    assert np.all(np.diff(found) < 0)
    assert found[-1] > values.min()
