"""A run that a search ends early: what it leaves, and that it is no failure."""

import signal
from collections.abc import Mapping
from pathlib import Path

import pytest
from mlflow import MlflowClient

from seedbed.errors import Pruned, Stopped
from seedbed.job import Job
from seedbed.train import run
from seedbed.verdict.members import of_run
from tests.conftest import MakeJob

SHORT = ("model=softmax", "trainer.max_epochs=3", "trainer.num_threads=1", "evaluate_test=true")
HOPELESS = "median, mean best_val/loss 5 of 1 seeds at epoch 2"


class Watcher:
    """Hears epochs; ends the run after one of them."""

    def __init__(self, last: int) -> None:
        self.last, self.heard = last, dict[int, float]()

    def __call__(self, epoch: int, metrics: Mapping[str, float]) -> None:
        self.heard[epoch] = metrics["val/loss"]
        if epoch == self.last:
            raise Pruned(epoch, HOPELESS)


def client_of(job: Job) -> MlflowClient:
    return MlflowClient(f"sqlite:///{job.config['track']['root']}/mlflow.db")


def test_a_pruned_run_is_killed_with_its_reason_and_metrics_and_without_a_model(make_job: MakeJob) -> None:
    job, watcher = make_job(*SHORT), Watcher(2)
    outcome = run(job, watch=watcher)
    assert outcome.pruned
    client = client_of(job)
    found = client.get_run(outcome.run_id)
    assert (found.info.status, of_run(found).status) == ("KILLED", "PRUNED")
    assert found.data.tags["seedbed.pruned"] == f"epoch 2 of 3: {HOPELESS}"
    assert f"Pruned at epoch 2 of 3: {HOPELESS}" in found.data.tags["mlflow.note.content"]
    history = client.get_metric_history(outcome.run_id, "val/loss")
    assert {point.step: point.value for point in history} == watcher.heard
    best = client.get_metric_history(outcome.run_id, "best_val/loss")
    assert [(point.step, point.value) for point in best] == [(2, min(watcher.heard.values()))]
    assert outcome.metrics["best_val/loss"] == min(watcher.heard.values())
    assert found.data.metrics["fit/cpu_seconds"] > 0
    assert not any(name.startswith("test/") for name in found.data.metrics)
    assert "seedbed.num_test_reads" not in found.data.tags
    artifacts = {entry.path for entry in client.list_artifacts(outcome.run_id)}
    assert artifacts == {"config.yaml", "fit", "job.json", "manifest.json", "provenance"}
    assert client.search_logged_models([found.info.experiment_id]) == []


def test_a_watch_that_lets_a_run_pass_changes_nothing_and_hears_each_epoch(make_job: MakeJob) -> None:
    job, watcher = make_job(*SHORT, "track.log_model=false"), Watcher(4)
    watched, alone = run(job, watch=watcher), run(job)
    assert not watched.pruned
    assert list(watcher.heard) == [1, 2, 3]
    told = [
        {name: value for name, value in outcome.metrics.items() if not name.endswith("_seconds")}
        for outcome in (watched, alone)
    ]
    assert told[0] == told[1]


def test_a_pruned_run_may_go_on_and_then_is_a_run_like_any_other(make_job: MakeJob) -> None:
    job = make_job(*SHORT)
    pruned = run(job, watch=Watcher(2))
    finished, alone = run(job, pruned.run_id), run(job)
    assert not finished.pruned
    assert {name: value for name, value in finished.metrics.items() if not name.endswith("_seconds")} == {
        name: value for name, value in alone.metrics.items() if not name.endswith("_seconds")
    }
    found = client_of(job).get_run(pruned.run_id)
    assert found.info.status == "FINISHED"
    assert "seedbed.pruned" not in found.data.tags
    assert found.data.tags["seedbed.resumed"].startswith("1: after epoch 2 of 3 on ")


def test_a_run_that_dies_between_report_and_checkpoint_reports_again(
    make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, first, second = make_job(*SHORT), Watcher(4), Watcher(4)

    def die(*_: object) -> None:
        raise OSError("no room")

    with monkeypatch.context() as patched:
        patched.setattr("seedbed.callbacks.save", die)
        with pytest.raises(OSError, match="no room"):
            run(job, watch=first)
    (run_id,) = [path.name for path in (Path(job.config["track"]["root"]) / "runs").iterdir()]
    run(job, run_id, second)
    assert list(first.heard) == [1]
    assert list(second.heard) == [1, 2, 3]
    assert second.heard[1] == first.heard[1]


def test_a_signal_that_came_in_the_last_step_of_a_pruned_run_is_not_forgotten(make_job: MakeJob) -> None:
    job = make_job(*SHORT)

    def watch(epoch: int, _: Mapping[str, float]) -> None:
        signal.raise_signal(signal.SIGTERM)
        raise Pruned(epoch, HOPELESS)

    with pytest.raises(Stopped):
        run(job, watch=watch)
