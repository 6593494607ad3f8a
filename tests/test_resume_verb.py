"""`seedbed resume`: a run that was cut off goes on from what its record holds."""

from pathlib import Path

import pytest
from mlflow import MlflowClient

from seedbed.cli import cli
from seedbed.errors import StoreError
from seedbed.train import run
from tests.conftest import MakeJob
from tests.kills import Moment, killed
from tests.study.conftest import QUICK, RunStudy, family, run_study

__all__ = ["run_study"]  # a fixture

SHORT = ("trainer.max_epochs=3", "trainer.num_threads=1", "evaluate_test=true")
IN_THE_SECOND_EPOCH = Moment("seedbed.classifier", "Classifier.training_step", 27)


def resume(root: Path, *arguments: str) -> None:
    cli.main(["resume", *arguments, "--root", str(root)], prog_name="seedbed", standalone_mode=False)


def test_a_killed_run_is_resumed_by_the_beginning_of_its_id(
    make_job: MakeJob, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    undisturbed = run(make_job(*SHORT))
    job = make_job(*SHORT, f"track.root={tmp_path / 'other'}")
    run_id = killed(job, IN_THE_SECOND_EPOCH)
    resume(tmp_path / "other", run_id[:8])
    told = f"softmax digits 0: test/accuracy {undisturbed.metrics['test/accuracy']:.4f}, "
    assert told in capsys.readouterr().out
    found = MlflowClient(f"sqlite:///{tmp_path / 'other' / 'mlflow.db'}").get_run(run_id)
    assert found.info.status == "FINISHED"
    assert found.data.metrics["test/loss"] == undisturbed.metrics["test/loss"]


def test_a_finished_run_is_not_resumed(make_job: MakeJob, tmp_path: Path) -> None:
    finished = run(make_job("trainer.max_epochs=1"))
    with pytest.raises(StoreError, match="expected one that was cut off, got one that is FINISHED"):
        resume(tmp_path / "mlruns", finished.run_id)


def test_a_study_and_its_runs_go_on_by_their_command(run_study: RunStudy, tmp_path: Path) -> None:
    run_study("seed=0,1", *QUICK)
    parent, children = family(tmp_path)
    for found, kind in ((parent, "a study"), (children[0], "a run of a study")):
        told = rf"expected a run of its own, got {kind}\. The same command again .* seedbed train -m seed=0,1"
        with pytest.raises(StoreError, match=told):
            resume(tmp_path / "mlruns", found.info.run_id)
