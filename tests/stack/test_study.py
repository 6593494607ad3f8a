"""Studies whose runs train as stacks, as the command line makes them."""

from pathlib import Path

import pytest
from mlflow import MlflowClient

from tests.study.conftest import QUICK, RunStudy, family, run_study

__all__ = ["run_study"]  # a fixture

STACKED = ("launch=stacked", "optimizer=sgd", "schedule=constant", *QUICK)


def test_a_grid_is_announced_stacked_and_concluded_and_again_it_makes_nothing(
    run_study: RunStudy, tmp_path: Path
) -> None:
    asked = ("optimizer.lr=0.1,0.2", "objective.l2=0,0.01", "model=softmax,cnn", *STACKED)
    out = run_study(*asked)
    assert "Stacked: 4 runs as one, the same batches for all" in out
    assert "Not stacked: 4 runs, because model=cnn gains nothing in a stack" in out
    _, runs = family(tmp_path)
    assert [run.info.status for run in runs] == ["FINISHED"] * 8
    told = [run for run in runs if "seedbed.stacked" in run.data.tags]
    assert {run.data.params["model"] for run in told} == {"softmax"}
    assert len(told) == 4
    assert "8 of these are on record and count." in run_study(*asked)


def test_a_member_that_fails_is_named_and_the_others_count(run_study: RunStudy, tmp_path: Path) -> None:
    from seedbed.errors import TrainingError

    with pytest.raises(TrainingError, match=r"1e\+38"):
        run_study("optimizer.lr=0.1,0.2,1e38", *STACKED)
    _, runs = family(tmp_path)
    assert sorted(run.info.status for run in runs) == ["FAILED", "FINISHED", "FINISHED"]


def test_a_search_with_a_pruner_asks_for_a_batch_and_ends_hopeless_members_alone(
    run_study: RunStudy, tmp_path: Path
) -> None:
    run_study(
        *("study=random", "optimizer.lr=tag(log,interval(0.00001,1))", "study.num_trials=6"),
        *("study.pruner=median", "study.startup_trials=2", "study.num_finalists=null"),
        *("launch.num_proposed=3", *STACKED, "trainer.max_epochs=4"),
    )
    _, runs = family(tmp_path)
    assert len(runs) == 6
    assert all("one of 3;" in run.data.tags["seedbed.stacked"] for run in runs)
    pruned = [run for run in runs if "seedbed.pruned" in run.data.tags]
    assert pruned
    assert len(pruned) < 6
    assert {run.info.status for run in pruned} == {"KILLED"}
    assert {run.info.status for run in runs if run not in pruned} == {"FINISHED"}


def test_seeds_are_a_stack_of_their_own_orders_and_system_metrics_are_on_each(
    run_study: RunStudy, tmp_path: Path
) -> None:
    out = run_study("study.num_seeds=3", *STACKED, "track.system_metrics=true")
    assert "Stacked: 3 runs as one, each with its own batches" in out
    _, runs = family(tmp_path)
    client = MlflowClient(f"sqlite:///{tmp_path / 'mlruns' / 'mlflow.db'}")
    for run in runs:
        name = "system/cpu_utilization_percentage"
        assert client.get_metric_history(run.info.run_id, name)
