"""`seedbed resume`: a run that was cut off goes on from what its record holds."""

from pathlib import Path

import pytest
from mlflow import MlflowClient

from seedbed.cli.command import cli
from seedbed.errors import ConfigError, StoreError
from seedbed.resuming import under
from seedbed.track.store import Store
from seedbed.train import run
from tests.conftest import MakeJob
from tests.kills import Moment, killed
from tests.study.conftest import QUICK, RunStudy, family, run_study
from tests.track.delivered import differences

__all__ = ["run_study"]  # a fixture

SHORT = ("trainer.max_epochs=3", "trainer.num_threads=1", "evaluate_test=true")
IN_THE_SECOND_EPOCH = Moment("seedbed.classifier", "Classifier.step", 27)


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


def test_a_killed_run_goes_on_while_its_store_is_away_and_the_next_command_delivers_it(
    make_job: MakeJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "mlruns"
    run_id = killed(make_job(*SHORT, "track.patience_seconds=0"), IN_THE_SECOND_EPOCH)
    with monkeypatch.context() as patched:
        patched.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
        resume(root, run_id)
    assert f"of the record wait in {root / 'runs' / run_id}" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="0"):
        cli.main(["sync", "--root", str(root)], prog_name="seedbed", standalone_mode=False)
    store = Store.open(root)
    assert store.client.get_run(run_id).info.status == "FINISHED"
    assert differences(store, root / "runs" / run_id) == []


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


def test_other_circumstances_are_told_on_the_record_and_are_no_other_run(
    make_job: MakeJob, tmp_path: Path
) -> None:
    job = make_job(*SHORT, "trainer.checkpoint_every_steps=5")
    run_id = killed(job, IN_THE_SECOND_EPOCH)
    path = tmp_path / "mlruns" / "runs" / run_id / "job.json"
    saved = path.read_text()
    resume(tmp_path / "mlruns", run_id, "trainer.checkpoint_every_steps=null", "trainer.timeout_minutes=5")
    found = MlflowClient(f"sqlite:///{tmp_path / 'mlruns' / 'mlflow.db'}").get_run(run_id)
    told = found.data.tags["seedbed.resumed"]
    assert told.startswith("1: after epoch 1 of 3 and 7 steps on ")
    assert told.endswith("; with trainer.checkpoint_every_steps=null, trainer.timeout_minutes=5")
    assert path.read_text() == saved
    assert found.data.tags["seedbed.command"] == job.command


@pytest.mark.parametrize(
    ("override", "told"),
    [
        (
            "optimizer.lr=0.2",
            "optimizer.lr=0.2: expected KEY=VALUE, with a KEY that cannot move the result: ",
        ),
        ("trainer.max_epochs=5", "got one that can, or that this run does not have. Start a new run "),
        (
            "trainer=ddp",
            "trainer=ddp: expected KEY=VALUE, with a KEY that cannot move the result: .*trainer.",
        ),
        (
            "data.num_workers=2",
            "data.num_workers=2: expected .*, got one that can, or that this run does not",
        ),
        ("track.root=elsewhere", "track.root=elsewhere: expected KEY=VALUE, with a KEY that cannot move "),
        ("launch.num_parallel=2", "launch.num_parallel=2: expected KEY=VALUE, with a KEY that cannot move "),
        ("~trainer.devices", "~trainer.devices: expected KEY=VALUE"),
        ("trainer.devices", "argument 'trainer.devices': expected GROUP=OPTION or KEY=VALUE, got "),
        (
            "trainer.devices=two",
            "trainer.devices: expected a value of type integer, got 'two'. Give trainer.",
        ),
        (
            "trainer.devices=null",
            "trainer.devices: expected a value other than null, got None. Give trainer.",
        ),
    ],
)
def test_what_could_move_the_result_needs_a_new_run(make_job: MakeJob, override: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        under(make_job(*SHORT), [override])
