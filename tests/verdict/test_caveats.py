"""What a comparison leaves out or limits is told by number and name."""

import csv
import math

import pytest

from seedbed.verdict.caveats import COVERAGE
from seedbed.verdict.compare import compare
from seedbed.verdict.members import Member
from tests.verdict.runs import ladder, run
from tests.verdict.simulation import FOLDER


@pytest.mark.parametrize(
    ("status", "told"),
    [
        ("FAILED", "failed"),
        ("KILLED", "stopped"),
        ("RUNNING", "still running"),
        ("SCHEDULED", "not started"),
        ("PRUNED", "pruned by the search"),
    ],
)
def test_a_run_that_did_not_finish_is_counted_and_named_and_in_no_mean(status: str, told: str) -> None:
    comparison = compare([*ladder(), run("cnn", 8, 0.1, status=status), run("cnn", 9, None, status=status)])
    assert f"In no mean: 2 of 11 runs, {told}: cnn seed 8, cnn seed 9." in comparison.warnings
    assert comparison.rows[0].description.n == 3


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_no_number_is_named_and_in_no_mean(value: float) -> None:
    comparison = compare([*ladder(), run("cnn", 9, value)])
    assert (
        "In no mean: 1 of 10 runs, whose test/accuracy is no finite number: cnn seed 9."
        in comparison.warnings
    )
    assert comparison.rows[0].description.n == 3


def test_a_run_without_the_metric_is_named() -> None:
    comparison = compare([*ladder(), run("cnn", 9, 0.5, metric="val/loss")], metric="test/accuracy")
    assert "In no mean: 1 of 10 runs, without test/accuracy: cnn seed 9." in comparison.warnings


def test_the_same_seeds_again_count_once() -> None:
    runs = [
        run("a", 0, value, tags={"seedbed.signature": "s"})._replace(run_id=str(value))
        for value in (0.1, 0.2)
    ]
    comparison = compare([*runs, run("a", 1, 0.3)])
    assert list(comparison.rows[0].values) == [0.2, 0.3]
    assert (
        "In no mean: 1 of 3 runs, with the config and seeds of a later run, which counts instead: a seed 0."
        in comparison.warnings
    )


def test_of_a_search_only_the_last_stage_is_compared() -> None:
    def staged(stage: str, seed: int, status: str = "FINISHED") -> Member:
        return run("a", seed, 0.5 + 0.01 * seed, status=status, tags={"seedbed.stage": stage})

    runs = [staged("search", seed) for seed in range(4)] + [staged("finalists", seed) for seed in (5, 6)]
    comparison = compare([*runs, staged("refit", 7, "RUNNING")])
    assert [member.name for member in comparison.rows[0].runs] == ["a seed 5", "a seed 6"]
    assert comparison.warnings[0] == (
        "Compared are the 2 runs of the stage finalists; the 5 of other stages are left out, because a "
        "search "
        "flatters what it chose."
    )


def test_unequal_numbers_of_seeds_are_told() -> None:
    comparison = compare([*ladder(3, "a", "b"), run("b", 7, 0.9), run("b", 8, 0.9)])
    assert "The settings have unequal numbers of runs: b 5, a 3." in comparison.warnings
    assert (
        "Left out for want of a partner with the same split, order and fold: b seed 7 (1 pair), b seed 8 "
        "(1 pair)." in comparison.warnings
    )


def test_one_run_has_no_interval_and_is_told_what_it_takes() -> None:
    comparison = compare([run("a", 0, 0.5), *ladder(2, "b")])
    assert (
        "One run has no interval (a). Two runs give one; 6 pairs are the fewest whose sign-flip test can "
        "go below "
        "0.05." in comparison.warnings
    )
    assert comparison.rows[-1].description.low is None


def test_few_runs_are_told_what_their_intervals_are_worth() -> None:
    (told,) = [warning for warning in compare(ladder(5)).warnings if warning.startswith("n = ")]
    assert told == (
        "n = 5: a 95 % t interval of so few runs covers less where the metric is skewed, 92.8 % at "
        "skewness 1.8 "
        "and 84.2 % at 6.2; BCa covers 80.4 % even where it is normal (measured at n = 5, "
        "experiments/statistics)."
    )


def test_more_runs_are_told_so_only_where_they_are_skewed() -> None:
    symmetric = [run("a", seed, 0.5 + 0.01 * seed) for seed in range(12)]
    assert compare(symmetric).warnings == ("There is one setting only, and so no pair.",)
    skewed = [run("a", seed, 0.9 - 0.001 * 2**seed) for seed in range(12)]
    assert compare(skewed).warnings[1].startswith("n = 12: a 95 % t interval")
    assert compare(skewed).warnings[1].endswith("(measured at n = 10, experiments/statistics).")


def test_what_is_told_of_few_runs_is_what_was_measured() -> None:
    with (FOLDER / "results.csv").open() as file:
        rows = list(csv.DictReader(file))
    share = {(row["what"], row["metric"], int(row["n"])): 100 * float(row["share"]) for row in rows}
    for n, told in COVERAGE.items():
        measured = (
            share["t interval covers", "loss, lognormal 0.5", n],
            share["t interval covers", "loss, lognormal 1", n],
            share["BCa interval covers", "normal", n],
        )
        assert told == pytest.approx(measured, abs=0.0501)  # told to one digit
