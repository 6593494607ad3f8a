"""`seedbed diff` as it is typed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from seedbed.cli.command import cli
from seedbed.errors import StoreError
from seedbed.reproduce.contrast import contrast
from seedbed.reproduce.recorded import Recorded
from tests.conftest import MakeJob, jobs_in
from tests.reproduce.runs import SHORT, store_of, trained


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MakeJob]:
    with jobs_in(tmp_path_factory.mktemp("contrast")) as make_job:
        yield make_job


@pytest.fixture(scope="module")
def first(make: MakeJob) -> Recorded:
    return trained(make(*SHORT))


@pytest.fixture(scope="module")
def second(make: MakeJob) -> Recorded:
    return trained(make(*SHORT, "seed=1"))


def diff(*runs: Recorded) -> Result:
    root = runs[0].job.config["track"]["root"]
    command = ["diff", *(run.run_id for run in runs), "--root", root]
    return CliRunner(env={"COLUMNS": "120"}).invoke(cli, command, catch_exceptions=False)


def test_runs_that_are_the_same_are_said_to_be(make: MakeJob, first: Recorded) -> None:
    again = trained(make(*SHORT))
    told = diff(first, again)
    assert told.exit_code == 0
    assert told.output == (
        f"First: mlp digits 0 ({first.run_id[:8]}), FINISHED. "
        f"Second: mlp digits 0 ({again.run_id[:8]}), FINISHED.\n\n"
        "No difference in config, code, packages, data, device, processes, threads and flags.\n"
        "No difference in results: all weights and 26 metrics are equal bit for bit.\n"
    )


def test_what_differs_is_a_table_of_causes_and_one_of_metrics(first: Recorded, second: Recorded) -> None:
    told = diff(first, second).output
    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in told.splitlines() if "│" in line]
    assert cells[0] == ["config", "seed", "0", "1"]
    assert [cells[1][:2], cells[2][:2]] == [["data", "places of train"], ["", "places of val"]]
    metrics = {name: values for name, *values in cells[3:]}
    assert len(metrics) == len(cells) - 3
    for name, (value, other, difference) in metrics.items():
        assert float(value) == pytest.approx(first.final[name], rel=1e-5)
        assert float(other) == pytest.approx(second.final[name], rel=1e-5)
        expected = second.final[name] - first.final[name]
        assert float(difference) == pytest.approx(expected, rel=0.06)
    assert told.endswith(
        "First to differ: the initial weights, the objective of step 1, train/accuracy of epoch 1.\n"
    )


def test_validation_of_a_best_epoch_that_is_the_last_is_told_once(first: Recorded, second: Recorded) -> None:
    assert first.final["best_val/epoch"] == second.final["best_val/epoch"] == 2
    told = contrast(first, second)
    assert " best_val/loss " in told
    assert " val/loss " not in told


def test_a_metric_of_one_run_only_is_told(first: Recorded) -> None:
    history = {name: values for name, values in first.history.items() if name != "test/loss"}
    told = contrast(first, first._replace(history=history))
    (line,) = (line for line in told.splitlines() if "test/loss" in line and "│" in line)
    assert [cell.strip() for cell in line.split("│")[1:-1]] == [
        "test/loss",
        f"{first.final['test/loss']:.6g}",
        "none",
        "",
    ]
    assert told.endswith("First to differ: test/loss of epoch 2.\n")


def test_weights_that_are_not_on_record_are_not_said_to_be_equal(first: Recorded) -> None:
    told = contrast(first, first._replace(trace=None, objectives=None))
    assert told.endswith(
        "No difference in results: 26 metrics are equal bit for bit. The weights are not on record of both.\n"
    )


def test_a_name_that_no_run_has_is_refused(first: Recorded) -> None:
    root = Path(store_of(first.job).root)
    with pytest.raises(StoreError, match="run 'nobody'"):
        CliRunner().invoke(cli, ["diff", "nobody", "last", "--root", str(root)], catch_exceptions=False)
