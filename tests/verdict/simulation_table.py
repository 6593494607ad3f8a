"""All simulations in one table.

    python -m tests.verdict.simulation_table

writes experiments/statistics/results.csv.
"""

import csv
from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

from seedbed.verdict.statistics import ALPHA
from tests.verdict import simulation
from tests.verdict.simulation import (
    BAND_SIZES,
    FOLDER,
    METRICS,
    NUM_BOOTSTRAPS,
    NUM_STUDIES,
    SIZES,
    SKEWED,
)


class Result(NamedTuple):
    """One line of results.csv: a share of studies, which should be `target`."""

    what: str
    metric: str
    n: int
    num_studies: int
    share: float
    target: float


def results() -> Iterator[Result]:
    """Every line of results.csv."""
    yield from _coverages()
    yield from _band_coverages()
    yield from _fold_coverages()
    for paired in (True, False):
        yield from _equal_settings("paired" if paired else "Welch", paired=paired)
        yield from _powers("paired" if paired else "Welch", paired=paired)
    for model, values in simulation.real_runs().items():
        yield from _on_real_runs(model, float(values.mean()))


def _coverages() -> Iterator[Result]:
    for name, n in product(METRICS, SIZES):
        yield Result("t interval covers", name, n, NUM_STUDIES, simulation.coverage(name, n), 0.95)
    for name, n in product(("normal", SKEWED), SIZES):
        yield Result(
            "BCa interval covers", name, n, NUM_BOOTSTRAPS, simulation.bootstrap_coverage(name, n), 0.95
        )


def _band_coverages() -> Iterator[Result]:
    """The bootstrap of learning curves, beside Student's t at the sizes that are not above."""
    for name, n in product(METRICS, BAND_SIZES):
        if n not in SIZES:
            yield Result("t interval covers", name, n, NUM_STUDIES, simulation.coverage(name, n), 0.95)
        share = simulation.band_coverage(name, n)
        yield Result("bootstrap band covers", name, n, NUM_STUDIES, share, 0.95)


def _fold_coverages() -> Iterator[Result]:
    for num_folds in (5, 10):
        for what, ratio in (("corrected", 1 / (num_folds - 1)), ("plain", 0.0)):
            share = simulation.fold_coverage(num_folds, ratio)
            yield Result(f"{what} t interval covers", "folds", num_folds, NUM_STUDIES, share, 0.95)


def _equal_settings(kind: str, *, paired: bool) -> Iterator[Result]:
    for name, n in product(METRICS, SIZES):
        share = simulation.called_different(name, n, paired=paired)
        yield Result(f"A/A called different, {kind}", name, n, NUM_STUDIES, share, ALPHA)
    for n in (3, 5, 10):
        share = simulation.called_different_among(10, n, paired=paired)
        yield Result(f"A/A, any of 10 settings, Holm, {kind}", "normal", n, 1_000, share, ALPHA)


def _powers(kind: str, *, paired: bool) -> Iterator[Result]:
    for effect in (0.4, 0.6, 0.8, 1.0):
        n, share = simulation.power_at_seeds_needed(effect, paired=paired)
        yield Result(
            f"power at the seeds needed, {kind}, effect {effect}", "normal", n, NUM_STUDIES, share, 0.8
        )


def _on_real_runs(model: str, mean: float) -> Iterator[Result]:
    for n in (3, 5, 10):
        share = simulation.covered(simulation.real_studies(model, n), mean)
        yield Result("t interval covers", f"digits {model}", n, NUM_STUDIES, share, 0.95)
        share = simulation.called_different_on_record(model, n)
        yield Result("A/A called different, Welch", f"digits {model}", n, NUM_STUDIES, share, ALPHA)


def main() -> None:
    with (FOLDER / "results.csv").open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([Result._fields, *results()])


if __name__ == "__main__":
    main()
