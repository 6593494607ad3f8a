"""Permutations against enumeration, BCa against Efron's formulas, counting against formulas."""

import math
from itertools import combinations, product

import numpy as np
import pytest
from scipy import stats

from seedbed.verdict.resampling import (
    Improvement,
    bootstrap,
    exchange,
    improvement,
    improvement_of_pairs,
    improvement_of_samples,
    sign_flip,
)
from seedbed.verdict.statistics import Values

TOLERANCE = 1e-12
# Two bootstraps of 9,999 and 200,000 draws differ by chance.
DRAWN = 0.03


def sample(n: int, mean: float = 0.3) -> Values:
    return np.random.default_rng(n).normal(mean, 1, n)


@pytest.mark.parametrize("n", [2, 3, 5, 9])
def test_the_sign_flip_test_agrees_with_trying_all_signs(n: int) -> None:
    differences = sample(n)
    flipped = [abs(np.mean(np.array(signs) * differences)) for signs in product((1, -1), repeat=n)]
    expected = np.mean([value >= abs(differences.mean()) - 1e-12 for value in flipped])
    found = sign_flip(differences)
    assert found.exact
    assert found.p_value == pytest.approx(expected, rel=TOLERANCE)


@pytest.mark.parametrize(("n", "smallest"), [(3, 0.25), (5, 0.0625), (6, 0.03125), (10, 0.001953125)])
def test_so_many_pairs_cannot_go_below_a_smallest_p(n: int, smallest: float) -> None:
    found = sign_flip(np.arange(1.0, n + 1))
    assert (found.p_value, found.smallest) == (smallest, smallest)


def test_sixteen_pairs_are_exact_and_seventeen_are_drawn() -> None:
    assert sign_flip(np.arange(1.0, 17.0)) == (2 / 2**16, 2 / 2**16, True)
    found = sign_flip(np.arange(1.0, 18.0))
    assert (found.smallest, found.exact) == (0.0002, False)
    assert found.p_value == pytest.approx(found.smallest, rel=TOLERANCE)


def test_drawn_signs_come_near_to_all_signs_and_are_the_same_each_time() -> None:
    differences = sample(17)
    signs = np.array(list(product((1.0, -1.0), repeat=17)))
    exact = (np.abs(signs @ differences) >= abs(differences.sum()) - 1e-9).mean()
    found = sign_flip(differences)
    assert found.p_value == pytest.approx(exact, abs=5 * math.sqrt(exact * (1 - exact) / 9_999))
    assert sign_flip(differences) == found


@pytest.mark.parametrize(("num_a", "num_b"), [(2, 2), (3, 5), (5, 5)])
def test_the_exchange_test_agrees_with_trying_all_divisions(num_a: int, num_b: int) -> None:
    a, b = sample(num_a, 1.0), sample(num_b + 20, 0.0)[:num_b]
    everything = np.concatenate([a, b])
    divided = [
        everything[list(chosen)].mean() - np.delete(everything, chosen).mean()
        for chosen in combinations(range(num_a + num_b), num_a)
    ]
    observed = a.mean() - b.mean()
    one_sided = [np.mean([sign * value >= sign * observed - 1e-12 for value in divided]) for sign in (1, -1)]
    found = exchange(a, b)
    assert found.p_value == pytest.approx(min(1.0, 2 * min(one_sided)), rel=TOLERANCE)
    assert found.smallest == pytest.approx(2 / math.comb(num_a + num_b, num_a), rel=TOLERANCE)


def bca(values: Values, num_draws: int) -> tuple[float, float]:
    """Efron 1987, equations 2.3, 6.6 and 6.15, written out for a mean."""
    rng = np.random.default_rng(1)
    means = values[rng.integers(len(values), size=(num_draws, len(values)))].mean(axis=1)
    left_out = (values.sum() - values) / (len(values) - 1)
    centred = left_out.mean() - left_out
    acceleration = (centred**3).sum() / (6 * (centred**2).sum() ** 1.5)
    bias = stats.norm.ppf(((means < values.mean()).mean() + (means <= values.mean()).mean()) / 2)
    quantiles = bias + stats.norm.ppf([0.025, 0.975])
    low, high = np.quantile(means, stats.norm.cdf(bias + quantiles / (1 - acceleration * quantiles)))
    return float(low), float(high)


@pytest.mark.parametrize("n", [8, 30])
def test_bca_agrees_with_its_formulas(n: int) -> None:
    values = np.random.default_rng(n).lognormal(0, 0.5, n)
    assert bootstrap(values) == pytest.approx(bca(values, 200_000), rel=DRAWN)


def test_bca_of_two_samples_moves_with_them() -> None:
    a, b = sample(9), sample(12)
    plain, moved = bootstrap(a, b), bootstrap(a + 5, b)
    assert plain is not None
    assert moved == pytest.approx((plain[0] + 5, plain[1] + 5), rel=1e-9)
    assert plain[0] < a.mean() - b.mean() < plain[1]


@pytest.mark.parametrize("values", [[1.0, 2.0], [0.5, 0.5, 0.5]])
def test_bca_does_not_exist_for_two_values_or_without_spread(values: list[float]) -> None:
    assert bootstrap(np.array(values)) is None


def test_improvement_counts_ties_half_with_wilsons_interval() -> None:
    n, share, z = 5, 3.5 / 5, stats.norm.ppf(0.975)
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    found = improvement_of_pairs(np.array([0.1, 0.2, 0.3, 0.0, -0.1]))
    assert found == pytest.approx((share, centre - half, centre + half), rel=1e-9)


def test_improvement_of_samples_agrees_with_brunner_and_munzel() -> None:
    a, b = sample(9), sample(14, 0.0)
    wins = np.array([[float(x > y) for y in b] for x in a])
    error = math.sqrt(wins.mean(axis=1).var(ddof=1) / 9 + wins.mean(axis=0).var(ddof=1) / 14)
    # SciPy's statistic is the same share over the same error.
    statistic, _ = stats.brunnermunzel(b, a)
    assert (wins.mean() - 0.5) / error == pytest.approx(statistic, rel=1e-9)
    found = improvement_of_samples(a, b)
    assert found.low is not None
    assert found.high is not None
    assert found.share == pytest.approx(wins.mean(), rel=TOLERANCE)
    assert found.low + found.high == pytest.approx(2 * found.share, rel=1e-9)
    assert 1.96 < (found.high - found.low) / 2 / error < 2.2  # a quantile of t with 12 to 23 degrees


def test_improvement_of_samples_that_do_not_overlap_has_no_interval() -> None:
    assert improvement_of_samples(sample(4) + 100, sample(5)) == (1.0, None, None)


def test_improvement_of_single_runs_is_a_comparison() -> None:
    assert improvement(np.array([2.0]), np.array([1.0, 2.0, 3.0])).share == 0.5


def test_the_share_of_smaller_values_is_what_is_left() -> None:
    assert Improvement(0.75, 0.5, 1.0).reversed() == (0.25, 0.0, 0.5)
    assert Improvement(1.0, None, None).reversed() == (0.0, None, None)
