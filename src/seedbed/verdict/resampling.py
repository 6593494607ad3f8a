"""Statistics of a difference that assume no distribution: permutations, bootstrap, counting."""

import math
import warnings
from typing import Literal, NamedTuple

import numpy as np
from scipy import stats

from seedbed.verdict.statistics import CONFIDENCE, Sample, Values, spread

# Up to this many arrangements all are tried, else as many as NUM_DRAWS at random.
MAX_EXACT = 2**16
NUM_DRAWS = 9_999
# The same runs get the same numbers each time.
SEED = 0


class Permutation(NamedTuple):
    """A permutation test of the difference of two means.

    Args:
        p_value: two-sided.
        smallest: the smallest p value that this number of runs, or of draws, allows.
        exact: whether all arrangements were tried.
    """

    p_value: float
    smallest: float
    exact: bool


class Improvement(NamedTuple):
    """How often setting a has the larger value, ties counted half.

    Args:
        share: of the pairs, or of all combinations of a run of a with a run of b where unpaired.
        low: lower end of its 95 % interval; None where it has none.
        high: its upper end.
    """

    share: float
    low: float | None
    high: float | None

    def reversed(self) -> "Improvement":
        """How often it has the smaller value."""
        low, high = (None if end is None else 1 - end for end in (self.high, self.low))
        return Improvement(1 - self.share, low, high)


def sign_flip(differences: Values) -> Permutation:
    """Were the settings alike, each pair's difference might as well have the other sign."""
    return _permutation((differences,), "samples", 2 ** len(differences))


def exchange(a: Sample, b: Sample) -> Permutation:
    """Were the settings alike, each run might as well belong to the other."""
    return _permutation((a, b), "independent", math.comb(len(a) + len(b), len(a)))


def _permutation(
    samples: tuple[Sample, ...], kind: Literal["samples", "independent"], num_arrangements: int
) -> Permutation:
    exact = num_arrangements <= MAX_EXACT
    found = stats.permutation_test(
        samples,
        _contrast,
        permutation_type=kind,
        vectorized=True,
        n_resamples=MAX_EXACT if exact else NUM_DRAWS,
        rng=np.random.default_rng(SEED),
    )
    return Permutation(float(found.pvalue), 2 / (num_arrangements if exact else NUM_DRAWS + 1), exact)


def _contrast(a: np.ndarray, b: np.ndarray | None = None, axis: int = -1) -> np.ndarray:
    return np.asarray(a.mean(axis) if b is None else a.mean(axis) - b.mean(axis))


def bootstrap(*samples: Sample) -> tuple[float, float] | None:
    """BCa interval, 95 %, of the mean of one sample, or of the difference of the means of two.

    Returns:
        None where it does not exist: fewer than three values, or no spread.

    Source: Efron 1987.
    """
    if any(len(sample) < 3 for sample in samples) or not any(spread(sample) for sample in samples):
        return None
    with warnings.catch_warnings(action="ignore"):  # a degenerate one is told by its ends
        found = stats.bootstrap(
            samples,
            _contrast,
            method="BCa",
            vectorized=True,
            confidence_level=CONFIDENCE,
            n_resamples=NUM_DRAWS,
            rng=np.random.default_rng(SEED),
        ).confidence_interval
    low, high = float(found.low), float(found.high)
    return (low, high) if math.isfinite(low) and math.isfinite(high) else None


def improvement(a: Sample, b: Sample) -> Improvement:
    """Share of combinations of a value of a with one of b in which a is larger."""
    differences = a[:, None] - b
    return Improvement(float((differences > 0).mean() + (differences == 0).mean() / 2), None, None)


def improvement_of_pairs(differences: Values) -> Improvement:
    """Share of positive differences with Wilson's interval."""
    from statsmodels.stats.proportion import proportion_confint

    wins = float((differences > 0).sum() + (differences == 0).sum() / 2)
    low, high = proportion_confint(wins, len(differences), alpha=1 - CONFIDENCE, method="wilson")
    return Improvement(wins / len(differences), float(low), float(high))


def improvement_of_samples(a: Sample, b: Sample) -> Improvement:
    """Share of combinations in which a is larger, with the interval of Brunner and Munzel (2000).

    It has no interval where the samples do not overlap: nothing then tells how far apart they are.
    """
    from statsmodels.stats.nonparametric import rank_compare_2indep

    with warnings.catch_warnings(action="ignore"):  # without overlap it divides by zero
        low, high = (float(end) for end in rank_compare_2indep(a, b).conf_int(alpha=1 - CONFIDENCE))
    found = improvement(a, b)
    if not math.isfinite(low) or low == high:
        return found
    return found._replace(low=max(low, 0.0), high=min(high, 1.0))
