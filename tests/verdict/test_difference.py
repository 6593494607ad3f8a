"""Differences against SciPy and statsmodels; Holm against its definition."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW, ttost_ind

from seedbed.verdict.difference import Difference, holm, judge, paired, unpaired, welch
from seedbed.verdict.power import MAX_NUM_SEEDS, Design, num_seeds, smallest_effect
from seedbed.verdict.statistics import ALPHA, Values, spread

TOLERANCE = 1e-10  # of a quantile


def sample(n: int, mean: float = 0.0, seed: int = 0) -> Values:
    return np.random.default_rng([n, seed]).normal(mean, 1, n)


@pytest.mark.parametrize("n", [2, 5, 30])
def test_pairs_agree_with_scipy_and_statsmodels(n: int) -> None:
    a, b = sample(n, 0.5), sample(n, 0.0, seed=1)
    found = paired(a, b)
    assert (found.num_a, found.num_b, found.design) == (n, n, Design(paired=True))
    assert found.mean == pytest.approx((a - b).mean(), rel=TOLERANCE)
    assert found.p_value == pytest.approx(stats.ttest_rel(a, b).pvalue, rel=TOLERANCE)
    assert found.interval == pytest.approx(DescrStatsW(a - b).tconfint_mean(), rel=TOLERANCE)
    assert found.deviation == pytest.approx((a - b).std(ddof=1), rel=TOLERANCE)


@pytest.mark.parametrize(("num_a", "num_b"), [(2, 2), (5, 5), (3, 30)])
def test_unpaired_runs_agree_with_scipy_and_statsmodels(num_a: int, num_b: int) -> None:
    a, b = sample(num_a, 0.5), 3 * sample(num_b, seed=1)
    found, reference = unpaired(a, b), CompareMeans(DescrStatsW(a), DescrStatsW(b))
    assert (found.num_a, found.num_b, found.design) == (num_a, num_b, Design(paired=False))
    assert found.p_value == pytest.approx(stats.ttest_ind(a, b, equal_var=False).pvalue, rel=TOLERANCE)
    assert found.interval == pytest.approx(reference.tconfint_diff(usevar="unequal"), rel=TOLERANCE)


def test_equally_many_unpaired_runs_have_the_pooled_deviation() -> None:
    a, b = sample(6), sample(6, seed=1)
    assert unpaired(a, b).deviation == pytest.approx(
        ((a.var(ddof=1) + b.var(ddof=1)) / 2) ** 0.5, rel=TOLERANCE
    )


def test_unpaired_equivalence_agrees_with_statsmodels() -> None:
    a, b = sample(12), sample(15, seed=1)
    (found,) = judge([unpaired(a, b)], margin=1.5)
    assert found.p_equivalent == pytest.approx(ttost_ind(a, b, -1.5, 1.5, usevar="unequal")[0], rel=TOLERANCE)


def test_pairs_that_differ_by_one_constant_have_no_t_test_in_spite_of_rounding() -> None:
    a, b = np.array([0.3, 0.7, 1.1]), np.array([0.2, 0.6, 1.0])
    assert len(set(a - b)) > 1
    found = paired(a, b)
    assert (found.estimate, found.interval, found.p_value, found.bootstrap, found.deviation) == (None,) * 5
    assert found.permutation is not None
    assert found.permutation.p_value == 0.25


def test_settings_without_any_spread_have_no_t_test() -> None:
    found = unpaired(np.array([0.9, 0.9, 0.9]), np.array([0.8, 0.8]))
    assert (found.estimate, found.bootstrap) == (None, None)
    assert found.mean == pytest.approx(0.1)
    assert found.permutation is not None


def test_one_run_a_setting_gives_a_difference_and_no_more() -> None:
    for found in (paired(np.array([2.0]), np.array([1.0])), unpaired(np.array([2.0]), sample(5))):
        assert (found.estimate, found.permutation, found.bootstrap) == (None, None, None)
    assert welch(np.array([2.0]), sample(5)) is None


def test_folds_have_the_corrected_test_and_nothing_that_needs_independent_runs() -> None:
    a, b = sample(10, 0.5), sample(10, seed=1)
    for found, plain in ((paired(a, b, 1 / 9), paired(a, b)), (unpaired(a, b, 1 / 9), unpaired(a, b))):
        assert (found.permutation, found.bootstrap, found.improvement.low) == (None, None, None)
        assert found.estimate is not None
        assert plain.estimate is not None
        assert found.estimate.error == pytest.approx(
            plain.estimate.error * (1 + 10 / 9) ** 0.5, rel=TOLERANCE
        )
        assert found.deviation == pytest.approx(plain.deviation, rel=TOLERANCE)


def holm_by_definition(p_values: list[float]) -> list[float]:
    """Smallest first: p times the number of those not yet rejected, never below an earlier one."""
    corrected, last = dict[int, float](), 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        last = max(last, min(1.0, p_values[place] * (len(p_values) - rank)))
        corrected[place] = last
    return [corrected[place] for place in range(len(p_values))]


@pytest.mark.parametrize("n", [1, 2, 3, 45])
def test_holm_agrees_with_its_definition(n: int) -> None:
    p_values = list(np.random.default_rng(n).beta(0.3, 2, n))
    assert holm(p_values) == pytest.approx(holm_by_definition(p_values), rel=1e-12)


def test_what_has_no_test_does_not_count_for_holm() -> None:
    assert holm([0.02, None, 0.03]) == [pytest.approx(0.04), None, pytest.approx(0.04)]
    assert holm([None]) == [None]
    assert holm([]) == []


def far_and_near() -> list[Difference]:
    """One pair that is decided, two that are open."""
    b = sample(10)
    near = [paired(b + sample(10, 0.0, seed), b) for seed in (3, 4)]
    return [paired(b + 10 + 0.1 * sample(10, seed=2), b), *near]


def test_power_is_that_of_the_level_which_an_open_pair_has_to_pass() -> None:
    decided, open_pair, other = judge(far_and_near())
    assert not other.different
    assert decided.different
    assert decided.num_seeds is None
    assert not open_pair.different
    deviation = open_pair.deviation
    assert deviation is not None
    assert open_pair.smallest_effect == pytest.approx(
        deviation * smallest_effect(Design(paired=True), 10, 10, ALPHA / 2)
    )
    assert open_pair.num_seeds == num_seeds(open_pair.mean / deviation, Design(paired=True), ALPHA / 2)


@pytest.mark.parametrize("seed", range(20))
def test_an_open_pair_always_needs_more_seeds_than_it_has(seed: int) -> None:
    rng = np.random.default_rng(seed)
    settings = rng.normal(0, 1, (4, 6)) + rng.normal(0, 1, (4, 1))
    for found in judge([paired(a, b) for a in settings for b in settings if a is not b and a[0] < b[0]]):
        assert found.different == (found.num_seeds is None)
        assert found.num_seeds is None or 6 < found.num_seeds <= MAX_NUM_SEEDS + 1


def test_a_narrow_difference_is_equivalent_and_then_settled() -> None:
    b = sample(10)
    (found,) = judge([paired(b + 0.01 * sample(10, seed=1), b)], margin=0.5)
    assert (found.equivalent, found.different, found.num_seeds) == (True, False, None)
    (unasked,) = judge([paired(b + 0.01 * sample(10, seed=1), b)])
    assert (unasked.equivalent, unasked.p_equivalent) == (False, None)
    assert unasked.num_seeds is not None


def test_equivalence_is_corrected_for_the_number_of_pairs() -> None:
    pairs = [paired(sample(8, 0.0, seed), sample(8, 0.0, seed + 50)) for seed in range(3)]
    alone = [judge([pair], margin=1.0)[0].p_equivalent for pair in pairs]
    together = [pair.p_equivalent for pair in judge(pairs, margin=1.0)]
    assert together == pytest.approx(holm_by_definition([p for p in alone if p is not None]))


def test_nothing_is_said_of_power_where_there_is_no_spread() -> None:
    (found,) = judge([paired(np.array([1.0, 2.0]), np.array([0.0, 1.0]))])
    assert spread(np.array([1.0, 1.0])) == 0
    assert (found.p_corrected, found.smallest_effect, found.num_seeds) == (None, None, None)
