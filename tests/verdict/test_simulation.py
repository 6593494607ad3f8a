"""The intervals, tests and numbers keep what they promise, in simulated studies and on recorded runs."""

import csv

import pytest

from seedbed.verdict.bands import FEWEST
from seedbed.verdict.power import POWER
from seedbed.verdict.statistics import ALPHA
from tests.verdict import simulation, simulation_table
from tests.verdict.simulation import FOLDER, NUM_STUDIES, SIZES


def bound(share: float, num_studies: int) -> float:
    """Four standard deviations of a share that is counted in so many studies."""
    return 4 * float((share * (1 - share) / num_studies) ** 0.5)


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("metric", ["normal"])
def test_the_t_interval_covers_the_mean_in_93_to_97_of_100_studies(metric: str, n: int) -> None:
    assert 0.93 <= simulation.coverage(metric, n) <= 0.97


@pytest.mark.parametrize("n", SIZES)
def test_a_skewed_metric_is_covered_less_as_the_output_says(n: int) -> None:
    assert 0.90 <= simulation.coverage(simulation.SKEWED, n) <= 0.95


@pytest.mark.parametrize("metric", ["normal", simulation.SKEWED])
def test_from_the_fewest_runs_on_a_bootstrap_band_covers_nearly_as_often_as_student_s_t(metric: str) -> None:
    at_least = simulation.coverage(metric, FEWEST) - 0.015
    assert simulation.band_coverage(metric, FEWEST, 1_000) >= at_least
    assert simulation.band_coverage(metric, 3, 1_000) < 0.8


@pytest.mark.parametrize("num_folds", [5, 10])
def test_folds_need_the_correction(num_folds: int) -> None:
    assert 0.93 <= simulation.fold_coverage(num_folds, 1 / (num_folds - 1)) <= 0.97
    assert simulation.fold_coverage(num_folds, 0.0) < 0.90


@pytest.mark.parametrize("paired", [True, False])
@pytest.mark.parametrize("metric", simulation.METRICS)
def test_a_setting_differs_from_itself_in_at_most_5_of_100_comparisons(metric: str, paired: bool) -> None:
    found = simulation.called_different(metric, 5, paired=paired)
    assert found <= ALPHA + bound(ALPHA, NUM_STUDIES)


@pytest.mark.parametrize("paired", [True, False])
def test_ten_equal_settings_show_any_difference_in_at_most_5_of_100_studies(paired: bool) -> None:
    found = simulation.called_different_among(10, 5, paired=paired, num_studies=1_000)
    assert found <= ALPHA + bound(ALPHA, 1_000)


def test_without_holm_they_would_in_every_other_study() -> None:
    table = simulation.called_different_among(10, 5, paired=True, num_studies=100, corrected=False)
    assert table > 0.3


@pytest.mark.parametrize("paired", [True, False])
@pytest.mark.parametrize("effect", [0.4, 0.6, 0.8, 1.0])
def test_at_the_seeds_needed_the_power_is_75_to_85_per_cent(effect: float, paired: bool) -> None:
    _, found = simulation.power_at_seeds_needed(effect, paired=paired)
    assert POWER - 0.05 <= found <= POWER + 0.05


@pytest.mark.parametrize("model", ["softmax", "mlp"])
def test_recorded_runs_of_one_setting_are_covered_and_called_different_from_themselves_as_promised(
    model: str,
) -> None:
    values = simulation.real_runs()[model]
    assert len(values) == 100
    assert 0.92 <= simulation.covered(simulation.real_studies(model, 5), float(values.mean())) <= 0.97
    assert simulation.called_different_on_record(model, 5) <= ALPHA + bound(ALPHA, NUM_STUDIES)


@pytest.mark.slow
def test_the_committed_results_are_those_of_this_code() -> None:
    with (FOLDER / "results.csv").open() as file:
        committed = [tuple(row) for row in csv.reader(file)][1:]
    assert committed == [tuple(map(str, result)) for result in simulation_table.results()]
