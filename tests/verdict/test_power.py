"""What a number of runs can see, against statsmodels' own solvers and known figures."""

import pytest
from statsmodels.stats.power import TTestIndPower, TTestPower

from seedbed.verdict.power import MAX_NUM_SEEDS, POWER, Design, num_seeds, power, smallest_effect

PAIRED, UNPAIRED = Design(paired=True), Design(paired=False)
SOLVED = 1e-5  # statsmodels ends its search about here


@pytest.mark.parametrize(("n", "effect"), [(5, 1.68), (10, 1.00), (20, 0.66), (30, 0.53)])
def test_the_smallest_effect_of_n_pairs_is_the_known_one(n: int, effect: float) -> None:
    assert smallest_effect(PAIRED, n, n) == pytest.approx(effect, abs=0.005)


@pytest.mark.parametrize("n", [2, 3, 7, 50])
def test_the_smallest_effect_agrees_with_statsmodels(n: int) -> None:
    paired = TTestPower().solve_power(None, n, 0.025, POWER, alternative="larger")
    unpaired = TTestIndPower().solve_power(None, n, 0.025, POWER, alternative="larger")
    assert smallest_effect(PAIRED, n, n) == pytest.approx(paired, rel=SOLVED)
    assert smallest_effect(UNPAIRED, n, n) == pytest.approx(unpaired, rel=SOLVED)


@pytest.mark.parametrize("alpha", [0.05, 0.05 / 45])
def test_the_smallest_effect_is_found_with_the_power_asked_for(alpha: float) -> None:
    for num_a, num_b in ((2, 2), (3, 9)):
        effect = smallest_effect(UNPAIRED, num_a, num_b, alpha)
        assert power(effect, UNPAIRED, num_a, num_b, alpha) == pytest.approx(POWER, rel=SOLVED)


@pytest.mark.parametrize("effect", [0.3, 0.8, 1.5])
def test_the_number_of_seeds_is_the_first_that_suffices(effect: float) -> None:
    for design in (PAIRED, UNPAIRED):
        n = num_seeds(effect, design)
        assert n is not None
        assert power(effect, design, n - 1, n - 1) < POWER <= power(effect, design, n, n)


def test_the_number_of_seeds_agrees_with_statsmodels() -> None:
    exact = TTestPower().solve_power(0.5, None, 0.05, POWER)
    assert exact <= (num_seeds(0.5, PAIRED) or 0) < exact + 1
    exact = TTestIndPower().solve_power(0.5, None, 0.05, POWER)
    assert exact <= (num_seeds(-0.5, UNPAIRED) or 0) < exact + 1


def test_no_effect_needs_no_number_and_a_tiny_one_more_than_are_counted() -> None:
    assert num_seeds(0.0, PAIRED) is None
    assert num_seeds(1e-4, PAIRED) == MAX_NUM_SEEDS + 1


def test_folds_see_less_and_more_of_them_help_little() -> None:
    folds = Design(paired=True, ratio=1 / 9)
    assert smallest_effect(folds, 10, 10) > 1.4 * smallest_effect(PAIRED, 10, 10)
    # What the shared training examples add does not shrink: 0.5 stays below 2.8 times sqrt(1 / 9).
    assert num_seeds(0.5, folds) == MAX_NUM_SEEDS + 1


def test_larger_effects_never_need_more_seeds() -> None:
    # Among these are effects for which SciPy's noncentral t has no number at some n in between.
    effects = [4.369576790678304, *(0.1 * 1.03**step for step in range(200))]
    for alpha in (0.05, 0.05 / 3):
        needed = [num_seeds(effect, PAIRED, alpha) or 0 for effect in sorted(effects)]
        assert needed == sorted(needed, reverse=True)
    assert num_seeds(4.369576790678304, PAIRED, 0.05 / 3) == 4


@pytest.mark.parametrize("effect", [0.05, 0.5, 2.0, 8.0])
def test_one_seed_fewer_would_not_do(effect: float) -> None:
    number = num_seeds(effect, UNPAIRED)
    assert number is not None
    assert power(effect, UNPAIRED, number, number) >= POWER
    assert number == 2 or power(effect, UNPAIRED, number - 1, number - 1) < POWER
