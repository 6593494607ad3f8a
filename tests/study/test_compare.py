"""From runs to a comparison: what counts, what is warned of, what is refused."""

import csv
import io
import math

import pytest

from seedbed.errors import StoreError
from seedbed.study.caveats import COVERAGE
from seedbed.study.compare import compare
from seedbed.study.members import Member
from tests.study.runs import foreign, run
from tests.study.simulation import FOLDER


def ladder(num_seeds: int = 3, *models: str) -> list[Member]:
    """Settings a point apart, with a spread of their own."""
    return [
        run(model, seed, 0.8 + 0.01 * rank + 0.001 * (seed * (rank + 2) % 3))
        for rank, model in enumerate(models or ("softmax", "mlp", "cnn"))
        for seed in range(num_seeds)
    ]


def test_settings_stand_best_first_and_every_pair_is_there() -> None:
    comparison = compare(ladder())
    assert [row.name for row in comparison.rows] == ["cnn", "mlp", "softmax"]
    assert [(pair.a.name, pair.b.name) for pair in comparison.pairs] == [
        ("cnn", "mlp"),
        ("cnn", "softmax"),
        ("mlp", "softmax"),
    ]
    assert len(comparison.words) == 3
    losses = [run(model, 0, value, metric="val/loss") for model, value in (("a", 2.0), ("b", 1.0))]
    assert [row.name for row in compare(losses, metric="val/loss").rows] == ["b", "a"]


def test_a_pair_knows_its_partners() -> None:
    (pair,) = compare(ladder(2, "a", "b")).pairs
    assert [(first.name, second.name) for first, second in pair.partners] == [
        ("b seed 0", "a seed 0"),
        ("b seed 1", "a seed 1"),
    ]


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


def test_by_a_param_merges_settings_and_tells_what_else_differs() -> None:
    runs = [
        run(model, seed, 0.5 + 0.1 * rank + 0.01 * seed, setting=model + lr, optimizer__lr=lr)
        for rank, model in enumerate(("mlp", "cnn"))
        for seed in range(2)
        for lr in ("0.1", "0.2")
    ]
    comparison = compare(runs, by="model")
    assert [(row.labels, row.description.n) for row in comparison.rows] == [
        ({"model": "cnn"}, 4),
        ({"model": "mlp"}, 4),
    ]
    assert (
        "cnn merges settings that differ in optimizer.lr (0.1, 0.2): the spread holds these too."
        in comparison.warnings
    )
    assert comparison.pairs[0].difference.design.paired


def test_the_default_metric_is_test_accuracy_where_all_have_it_else_validation() -> None:
    assert compare(ladder()).metric == "test/accuracy"
    both = [run("a", 0, 0.5, metric="best_val/accuracy"), run("b", 0, 0.5, metric="best_val/accuracy")]
    assert compare(both).metric == "best_val/accuracy"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"metric": "nope"},
            "metric nope: expected one of test/accuracy, got a name that no finished run has. Add --metric "
            "NAME.",
        ),
        (
            {"by": "nope"},
            "--by nope: expected one of data, model, seed, got a param that no finished run has. Correct its "
            "spelling, or leave --by out.",
        ),
        (
            {"margin": 0.0},
            "--margin: expected a number above 0, got 0. Give the largest difference that does not matter.",
        ),
        (
            {"margin": math.nan},
            "--margin: expected a number above 0, got nan. Give the largest difference that does not matter.",
        ),
    ],
)
def test_what_no_run_has_is_refused_with_what_they_have(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(StoreError) as caught:
        compare(ladder(), **arguments)  # type: ignore[arg-type]
    assert str(caught.value) == message


def test_a_default_metric_that_foreign_runs_lack_is_refused_with_what_they_have() -> None:
    with pytest.raises(
        StoreError, match="metric best_val/accuracy: expected one of val_acc, got a name that no"
    ):
        compare([foreign("x", 0.5, lr="1")])


def test_a_study_without_finished_runs_says_in_which_state_they_are() -> None:
    runs = [
        run("a", 0, None, status="FAILED"),
        run("a", 1, None, status="RUNNING"),
        run("a", 2, None, status="FAILED"),
    ]
    with pytest.raises(StoreError) as caught:
        compare(runs)
    assert str(caught.value) == (
        "comparison: expected finished runs, got 2 FAILED, 1 RUNNING. Wait for the study to end, or start "
        "it again."
    )
    with pytest.raises(
        StoreError, match=r"expected finished runs, got no run\. Name a study or give --runs FILTER\."
    ):
        compare([])


def test_a_metric_that_is_nan_everywhere_is_refused() -> None:
    with pytest.raises(StoreError) as caught:
        compare([run("a", seed, math.nan) for seed in range(2)])
    assert str(caught.value) == (
        "metric test/accuracy: expected a finite number in one run at least, got none in 2 finished runs. "
        "Choose "
        "another with --metric NAME."
    )


def test_the_text_holds_the_table_the_verdicts_and_the_warnings_within_the_width() -> None:
    comparison = compare(ladder())
    text = comparison.text(width=100)
    assert max(map(len, text.splitlines())) <= 100
    flat = " ".join(text.split())
    assert "t tests, p values after Holm over 3 pairs:" in flat
    assert all(words in flat for words in comparison.words)
    assert all(warning in flat for warning in comparison.warnings)
    assert "│ cnn     │ 3 │ 0.8210" in text


def test_many_pairs_are_told_for_the_best_setting_and_tabled_for_all() -> None:
    comparison = compare(ladder(3, *"abcdefg"))
    text = " ".join(comparison.text(width=200).split())
    assert len(comparison.pairs) == 21
    assert "The other 15 pairs are in the table only." in text
    assert text.count("sign-flip") == 6
    assert "b - a" in text


def test_markdown_holds_the_same() -> None:
    comparison = compare(ladder())
    text = comparison.markdown()
    assert "| model | n | mean test/accuracy | sd | 95 % interval | interquartile mean |" in text
    assert all(f"- {words}\n" in text for words in comparison.words)
    assert "**Mind:**" in text
    assert "| cnn - mlp | " in text


def test_csv_has_a_row_a_pair_and_a_row_a_setting_in_full() -> None:
    comparison = compare(ladder(), margin=5.0)
    pairs = list(csv.DictReader(io.StringIO(comparison.csv())))
    assert [(row["a"], row["b"]) for row in pairs] == [("cnn", "mlp"), ("cnn", "softmax"), ("mlp", "softmax")]
    difference = comparison.pairs[0].difference
    assert float(pairs[0]["difference"]) == difference.mean
    assert difference.interval == (float(pairs[0]["low"]), float(pairs[0]["high"]))
    assert difference.p_equivalent == float(pairs[0]["p_equivalent"])
    assert (pairs[0]["paired"], pairs[0]["n_a"], pairs[0]["permutation_smallest_p"]) == ("True", "3", "0.25")
    settings = list(csv.DictReader(io.StringIO(comparison.settings_csv())))
    assert [float(row["mean"]) for row in settings] == [row.description.mean for row in comparison.rows]


def test_a_bar_in_a_value_does_not_break_a_markdown_table() -> None:
    assert r"| a\|b |" in compare([run("a|b", 0, 0.5), run("c", 0, 0.5)]).markdown()
