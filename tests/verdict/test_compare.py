"""From runs to a comparison: what is compared with what, and what is refused."""

import csv
import io
import math

import pytest

from seedbed.errors import StoreError
from seedbed.verdict.compare import compare
from tests.verdict.runs import foreign, ladder, run


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
    assert "t tests, p values after Holm over 3 pairs, intervals of each pair alone:" in flat
    assert all(words in flat for words in comparison.words)
    assert all(warning in flat for warning in comparison.warnings)
    assert "│ cnn     │ 3 │ 0.8210" in text


def test_many_pairs_are_told_for_the_best_setting_and_tabled_for_all() -> None:
    comparison = compare(ladder(3, *"abcdefg"))
    text = " ".join(comparison.text(width=200).split())
    assert len(comparison.pairs) == 21
    assert "15 pairs of other settings are in the table only." in text
    assert text.count("sign-flip") == 6
    assert "b - a" in text


def test_very_many_pairs_are_told_and_tabled_for_the_best_setting() -> None:
    text = " ".join(compare(ladder(2, *"abcdefghijk")).text(width=200).split())
    assert "45 pairs of other settings are left out." in text
    assert "k - a" in text
    assert "b - a" not in text


def test_markdown_holds_the_same() -> None:
    comparison = compare(ladder())
    text = comparison.markdown()
    assert "| model | n | mean test/accuracy | sd | 95 % interval | interquartile mean |" in text
    assert all(f"- {words}\n" in text for words in comparison.words)
    assert "**Mind:**" in text
    assert "| cnn - mlp | " in text


def test_a_column_that_no_pair_fills_is_left_out() -> None:
    assert "BCa" in compare(ladder()).markdown()
    assert "BCa 95 %" not in compare(ladder(2)).markdown()
    assert "BCa 95 %" not in compare(ladder(2)).text()


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


def test_the_outer_folds_of_a_nested_cross_validation_are_one_setting() -> None:
    inner = [run("mlp", 0, 0.9, setting="s", tags={"seedbed.stage": "search"}, data__fold="0")]
    outer = [
        run(
            "mlp",
            0,
            value,
            setting=lr,
            tags={"seedbed.stage": "nested"},
            data__fold=fold,
            data__num_folds="2",
        )
        for fold, lr, value in (("0", "a", 0.7), ("1", "b", 0.8))
    ]
    (row,) = compare([*inner, *outer]).rows
    assert row.description.mean == pytest.approx(0.75, rel=1e-12)  # a mean of two
    assert (row.description.n, row.ratio) == (2, 1.0)
