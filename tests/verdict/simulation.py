"""Do the intervals, tests and numbers of `seedbed compare` keep what they promise? Simulated studies.

Every simulation calls the code that `compare` calls.
"""

import csv
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

import numpy as np
from jaxtyping import Float64

from seedbed.verdict.bands import bootstrapped
from seedbed.verdict.difference import holm, welch
from seedbed.verdict.power import Design, num_seeds
from seedbed.verdict.resampling import bootstrap
from seedbed.verdict.statistics import ALPHA, describe, estimate

Table = Float64[np.ndarray, "study run"]
Draw = Callable[[np.random.Generator, tuple[int, int]], np.ndarray]
FOLDER = Path(__file__).parents[2] / "experiments" / "statistics"
SIZES = (3, 5, 10, 30)
NUM_STUDIES = 2_000
NUM_BOOTSTRAPS = 500
BAND_SIZES = (3, 5, 8, 10, 20)
NUM_AT_A_TIME = 250  # studies times draws stand in memory


class Metric(NamedTuple):
    """A distribution of a metric over seeds, with its true mean."""

    draw: Draw
    mean: float


METRICS = {
    "normal": Metric(lambda rng, shape: rng.normal(0.9, 0.01, shape), 0.9),
    # Skewness -1: some seeds are worse by far more than any is better.
    "accuracy, 1 - gamma(4)": Metric(lambda rng, shape: 1 - rng.gamma(4, 0.005, shape), 0.98),
    # Skewness 1.75.
    "loss, lognormal 0.5": Metric(lambda rng, shape: rng.lognormal(0, 0.5, shape), float(np.exp(0.125))),
    # Skewness 6.2: one run in a hundred is ten times the median.
    "loss, lognormal 1": Metric(lambda rng, shape: rng.lognormal(0, 1, shape), float(np.exp(0.5))),
}
SKEWED = "loss, lognormal 0.5"


def coverage(name: str, n: int, num_studies: int = NUM_STUDIES) -> float:
    """Share of studies of n runs whose 95 % t interval holds the true mean."""
    metric = METRICS[name]
    table = metric.draw(np.random.default_rng(n), (num_studies, n))
    return covered(table, metric.mean)


def covered(table: Table, mean: float, ratio: float = 0.0) -> float:
    found = [describe(values, ratio) for values in table]
    return float(np.mean([one.low <= mean <= one.high for one in found]))  # type: ignore[operator]


def bootstrap_coverage(name: str, n: int, num_studies: int = NUM_BOOTSTRAPS) -> float:
    """The same for the BCa interval."""
    metric = METRICS[name]
    table = metric.draw(np.random.default_rng(n), (num_studies, n))
    ends = [bootstrap(values) for values in table]
    return float(np.mean([low <= metric.mean <= high for low, high in filter(None, ends)]))


def band_coverage(name: str, n: int, num_studies: int = NUM_STUDIES) -> float:
    """The same for the bootstrap interval of learning curves, at any n: each study stands for an epoch."""
    metric = METRICS[name]
    table = metric.draw(np.random.default_rng(n), (num_studies, n))
    parts = [bootstrapped(part) for part in np.array_split(table, -(-num_studies // NUM_AT_A_TIME))]
    low, high = np.concatenate(parts, axis=1)
    return float(np.mean((low <= metric.mean) & (metric.mean <= high)))


def fold_coverage(num_folds: int, ratio: float, num_studies: int = NUM_STUDIES) -> float:
    """Share of cross-validations whose interval holds the truth, where two folds correlate by 1 / K.

    That is the correlation from which Nadeau and Bengio's correction is derived.
    """
    rng = np.random.default_rng(num_folds)
    shared, own = rng.normal(size=(num_studies, 1)), rng.normal(size=(num_studies, num_folds))
    table = shared * (1 / num_folds) ** 0.5 + own * (1 - 1 / num_folds) ** 0.5
    return covered(table, 0.0, ratio)


def called_different(name: str, n: int, *, paired: bool, num_studies: int = NUM_STUDIES) -> float:
    """Share of comparisons of a setting with itself, n runs against n others, that are called different.

    Where paired, half of the variance comes from what the partners share.
    """
    rng = np.random.default_rng(n)
    a, b = (METRICS[name].draw(rng, (num_studies, n)) for _ in range(2))
    if paired:
        common = METRICS[name].draw(rng, (num_studies, n))
        a, b = a + common, b + common
    return float(np.mean([p_value(*two, paired=paired) <= ALPHA for two in zip(a, b, strict=True)]))


def p_value(a: np.ndarray, b: np.ndarray, *, paired: bool) -> float:
    found = estimate(a - b) if paired else welch(a, b)
    assert found is not None
    return found.p_value()


def called_different_among(
    num_settings: int, n: int, *, paired: bool, num_studies: int = 1_000, corrected: bool = True
) -> float:
    """Share of studies of equal settings in which any pair is called different, with Holm or without."""
    tables = np.random.default_rng(n).normal(size=(num_studies, num_settings, n))
    if paired:
        tables += np.random.default_rng(0).normal(size=(num_studies, 1, n))
    families = [[p_value(a, b, paired=paired) for a, b in combinations(one, 2)] for one in tables]
    if corrected:
        with patch("gc.collect"):  # statsmodels collects garbage in each call, for 50 ms
            families = [[found for found in holm(one) if found is not None] for one in families]
    return float(np.mean([min(family) <= ALPHA for family in families]))


def power_at_seeds_needed(
    effect: float, *, paired: bool, num_studies: int = NUM_STUDIES
) -> tuple[int, float]:
    """The number of seeds that is said to suffice for a true effect, and the power that it then has."""
    n = num_seeds(effect, Design(paired))
    assert n is not None
    rng = np.random.default_rng(n)
    a, b = rng.normal(size=(2, num_studies, n))
    # The differences of pairs have standard deviation 1.
    a, b = (effect + a, np.zeros_like(b)) if paired else (effect + a, b)
    return n, float(np.mean([p_value(*two, paired=paired) <= ALPHA for two in zip(a, b, strict=True)]))


def real_runs() -> dict[str, Float64[np.ndarray, " run"]]:
    """Test accuracies of 100 seeds of two settings on the digits, by model."""
    with (FOLDER / "runs.csv").open() as file:
        rows = list(csv.DictReader(file))
    models = dict.fromkeys(row["model"] for row in rows)
    return {
        model: np.array([float(row["test/accuracy"]) for row in rows if row["model"] == model])
        for model in models
    }


def real_studies(model: str, n: int, num_studies: int = NUM_STUDIES) -> Table:
    """Studies of n different recorded runs each, drawn from the hundred."""
    rng, values = np.random.default_rng(n), real_runs()[model]
    return np.array([rng.choice(values, n, replace=False) for _ in range(num_studies)])


def called_different_on_record(model: str, n: int) -> float:
    """Share of comparisons of n recorded runs with n others of the same setting that are called different."""
    studies = real_studies(model, 2 * n)
    return float(np.mean([p_value(one[:n], one[n:], paired=False) <= ALPHA for one in studies]))
