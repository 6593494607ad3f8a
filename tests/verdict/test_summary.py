"""The table of a study: against NumPy, and honest where there is too little to say."""

import numpy as np
import pytest
from scipy import stats

from seedbed.verdict.members import Member
from seedbed.verdict.summary import as_csv, as_markdown, cells, headline, mean_name, note, summarise

TOLERANCE = 1e-12  # float64 sums of a handful of numbers


def member(setting: str, accuracy: float, status: str = "FINISHED", metric: str = "test/accuracy") -> Member:
    params = {"model": setting, "data": "digits", "seed": "0"}
    return Member("id", "run", "1", status, setting, params, {metric: accuracy}, {})


@pytest.mark.parametrize("num_runs", [2, 3, 10])
def test_mean_and_interval_agree_with_numpy_and_a_t_table(num_runs: int) -> None:
    values = np.random.default_rng(num_runs).normal(0.9, 0.01, num_runs)
    (row,) = summarise([member("mlp", float(value)) for value in values], "test/accuracy")
    half = stats.t.ppf(0.975, num_runs - 1) * values.std(ddof=1) / np.sqrt(num_runs)
    assert row.num_runs == num_runs
    assert row.mean == pytest.approx(values.mean(), rel=TOLERANCE)
    assert (row.low, row.high) == pytest.approx((values.mean() - half, values.mean() + half), rel=TOLERANCE)


def test_one_run_has_no_interval_and_the_table_says_so() -> None:
    (row,) = summarise([member("mlp", 0.9)], "test/accuracy")
    assert (row.low, row.high, row.deviation) == (None, None, None)
    assert cells(row) == ["mlp", "1", "0.9000", "needs 2 runs"]


def test_equal_values_have_an_interval_of_no_width() -> None:
    (row,) = summarise([member("mlp", 0.9)] * 3, "test/accuracy")
    assert (row.low, row.high) == pytest.approx((0.9, 0.9), rel=TOLERANCE)


def test_settings_keep_their_order_and_show_only_what_tells_them_apart() -> None:
    rows = summarise([member("softmax", 0.8), member("mlp", 0.9), member("softmax", 0.7)], "test/accuracy")
    assert [(row.labels, row.num_runs) for row in rows] == [({"model": "softmax"}, 2), ({"model": "mlp"}, 1)]


def test_an_unfinished_run_never_enters_a_mean() -> None:
    (row,) = summarise([member("mlp", 0.9), member("mlp", 0.1, status="FAILED")], "test/accuracy")
    assert (row.num_runs, row.mean) == (1, 0.9)


def test_the_headline_is_validation_unless_every_finished_run_read_the_test_split() -> None:
    read, unread = member("mlp", 0.9), member("mlp", 0.9, metric="best_val/accuracy")
    assert headline([read, read]) == "test/accuracy"
    assert headline([read, unread]) == "best_val/accuracy"
    assert headline([member("mlp", 0.9, status="FAILED")]) == "best_val/accuracy"


def test_runs_of_a_search_are_judged_by_what_they_were_chosen_by() -> None:
    chosen = member("mlp", 0.9, metric="best_val/accuracy")._replace(
        tags={"seedbed.objective": "best_val/loss"}
    )
    assert headline([chosen, chosen]) == "best_val/loss"
    assert headline([chosen, chosen._replace(tags={})]) == "best_val/accuracy"


def test_csv_and_markdown_hold_the_same_row() -> None:
    rows = summarise([member("mlp", 0.5), member("mlp", 0.75)], "test/accuracy")
    assert as_csv(rows, "test/accuracy").startswith(
        "model,metric,n,mean,standard_deviation,low,high,interquartile_mean\nmlp,test/accuracy,2,0.625,"
    )
    assert "| mlp | 2 | 0.6250 | [-0.9633, 2.2133] |" in as_markdown(rows, "test/accuracy")


def test_the_note_names_failures_and_links_to_all_runs() -> None:
    runs = [member("mlp", 0.5), member("mlp", 0.75, status="FAILED")]
    told = note(summarise(runs, "test/accuracy"), "test/accuracy", runs, ["mlp seed 1"])
    assert "**Failed, and in no mean:** mlp seed 1" in told
    assert (
        "[Compare all 2 runs](#/compare-runs?runs=%5B%22id%22%2C%20%22id%22%5D&experiments=%5B%221%22%5D"
        in told
    )


def test_a_value_that_is_no_number_is_in_no_mean_and_the_note_says_so() -> None:
    runs = [member("mlp", 0.5), member("mlp", float("nan")), member("mlp", 0.75)]
    rows = summarise(runs, "test/accuracy")
    assert (rows[0].num_runs, rows[0].mean) == (2, 0.625)
    told = note(rows, "test/accuracy", runs, [])
    assert "**Without a number in `test/accuracy`, and in no mean:** run" in told


def test_folds_have_the_corrected_interval() -> None:
    plain = [member("mlp", 0.5 + 0.1 * fold) for fold in range(4)]
    folds = [
        run._replace(params={**run.params, "data.fold": str(fold), "data.num_folds": "4"})
        for fold, run in enumerate(plain)
    ]
    (row,), (corrected,) = summarise(plain, "test/accuracy"), summarise(folds, "test/accuracy")
    assert row.high is not None
    assert corrected.high is not None
    widening = (corrected.high - corrected.mean) / (row.high - row.mean)
    assert widening == pytest.approx((1 + 4 / 3) ** 0.5, rel=TOLERANCE)


def test_a_mean_has_a_name_that_mlflow_takes() -> None:
    (row,) = summarise([member("[256, 128] x", 0.5)], "test/accuracy")
    assert mean_name(row, "test/accuracy") == "256_128_x/test/accuracy"
