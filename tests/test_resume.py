"""A run that was cut off and goes on ends as one that nobody disturbed, to the last bit."""

import itertools
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from seedbed.errors import StoreError
from seedbed.train import run
from tests.conftest import MakeJob
from tests.kills import Moment, ended, killed, only_run, runs
from tests.traces import (
    AFTER_FIT,
    COMMON,
    MIDDLE,
    NUM_STEPS,
    SETTINGS,
    Undisturbed,
    assert_same,
    client_of,
    folder,
    stopped,
    tags,
    trace,
    undisturbed,
)

__all__ = ["undisturbed"]  # a fixture

MOMENTS = {
    "before its params": Moment("seedbed.track.record", "Record._log_texts"),
    "between its first artifacts": Moment("seedbed.track.record", "Record.log_file", 3),
    "in the first epoch": Moment("seedbed.classifier", "Classifier.step", 5),
    "in an epoch": MIDDLE,
    "between the points and their delivery": Moment("seedbed.track.record", "Record.deliver", 2),
    "between the journal and the checkpoint": Moment("seedbed.callbacks", "save", 2),
    "while a checkpoint is written": Moment("seedbed.checkpoint", "os.fsync", 5),
    "between the last and the best checkpoint": Moment("seedbed.callbacks", "copy_to_best", 2),
    "between the fit and the test": AFTER_FIT,
    "while the test split is read": Moment("seedbed.classifier", "Classifier.test_step"),
    "between the final metrics and the note": Moment("seedbed.growing", "note"),
    "between two checkpoints as artifacts": Moment("seedbed.harvest", "predictor.save"),
    "before the model's files": Moment("seedbed.track.registered", "write"),
    "before the model belongs to the run": Moment("mlflow", "MlflowClient.log_outputs"),
    "before the model is ready": Moment("mlflow", "MlflowClient.finalize_logged_model"),
    "before the status": Moment("mlflow", "MlflowClient.set_terminated"),
}

# The others are left to the slow lane.
QUICK = (
    "before its params",
    "in an epoch",
    "between the journal and the checkpoint",
    "while a checkpoint is written",
    "between the last and the best checkpoint",
    "between the fit and the test",
    "before the model belongs to the run",
    "before the status",
)


@pytest.mark.parametrize(
    "moment",
    [pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow) for name in MOMENTS],
)
def test_a_run_killed_at_any_moment_ends_as_if_undisturbed(
    make_job: MakeJob, undisturbed: Undisturbed, moment: str
) -> None:
    job = make_job(*SETTINGS["softmax"], *COMMON)
    run_id = killed(job, MOMENTS[moment])
    assert client_of(job).get_run(run_id).info.status == "RUNNING"
    assert run(job, run_id).run_id == run_id
    assert_same(trace(job, run_id), undisturbed("softmax"))
    assert {path.name for path in folder(job, run_id).iterdir()} == {"journal.jsonl", "delivered", "job.json"}


@pytest.mark.parametrize(
    ("setting", "moment"),
    [
        ("mlp", "in an epoch"),
        ("cnn", "between the journal and the checkpoint"),
        pytest.param("cnn", "in an epoch", marks=pytest.mark.slow),
        pytest.param("mlp", "between the journal and the checkpoint", marks=pytest.mark.slow),
    ],
)
def test_dropout_augmentation_momentum_and_schedule_go_on_where_they_were(
    make_job: MakeJob, undisturbed: Undisturbed, setting: str, moment: str
) -> None:
    job = make_job(*SETTINGS[setting], *COMMON)
    run_id = killed(job, MOMENTS[moment])
    run(job, run_id)
    assert_same(trace(job, run_id), undisturbed(setting))


def test_the_memory_of_lbfgs_goes_on(make_job: MakeJob, undisturbed: Undisturbed) -> None:
    job = make_job(*SETTINGS["lbfgs"], *COMMON)
    run_id = killed(job, Moment("seedbed.callbacks", "save", 3))
    run(job, run_id)
    assert_same(trace(job, run_id), undisturbed("lbfgs"))


def test_a_run_may_be_killed_again_and_again(make_job: MakeJob, undisturbed: Undisturbed) -> None:
    job = make_job(*SETTINGS["softmax"], *COMMON)
    run_id = killed(job, MIDDLE)
    killed(job, Moment("seedbed.classifier", "Classifier.step", NUM_STEPS + 3), run_id)
    killed(job, AFTER_FIT, run_id)
    run(job, run_id)
    assert_same(trace(job, run_id), undisturbed("softmax"))
    told = tags(job, run_id)["seedbed.resumed"].splitlines()
    starts = [line.partition(" on ")[0] for line in told]
    assert starts == ["1: after epoch 1 of 3", "2: after epoch 2 of 3", "3: after epoch 3 of 3"]


def test_a_run_that_failed_goes_on_and_its_error_is_no_longer_the_last_word(
    make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job(*SETTINGS["softmax"], *COMMON)

    def fail(*_: Any) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr("seedbed.growing.keep", fail)
        with pytest.raises(OSError, match="the disk is full"):
            run(job)
    run_id = only_run(job)
    assert client_of(job).get_run(run_id).info.status == "FAILED"
    assert tags(job, run_id)["seedbed.error"] == "OSError: the disk is full"
    run(job, run_id)
    assert client_of(job).get_run(run_id).info.status == "FINISHED"
    assert "seedbed.error" not in tags(job, run_id)


def test_a_run_whose_folder_is_gone_begins_again_and_repeats_no_point(
    make_job: MakeJob, undisturbed: Undisturbed, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job(*SETTINGS["softmax"], *COMMON)
    run_id = stopped(job, monkeypatch)
    shutil.rmtree(folder(job, run_id))
    run(job, run_id)
    assert_same(trace(job, run_id), undisturbed("softmax"))
    assert tags(job, run_id)["seedbed.resumed"].startswith("1: after epoch 0 of 3 on ")


def test_a_finished_run_is_refused_also_where_its_process_died_just_after(make_job: MakeJob) -> None:
    job = make_job(*SETTINGS["softmax"], *COMMON)
    run_id = killed(job, Moment("seedbed.train", "let_go"))
    with pytest.raises(
        StoreError, match=f"^run {run_id}: expected one that was cut off, got one that is FIN"
    ):
        run(job, run_id)
    assert client_of(job).get_run(run_id).info.status == "FINISHED"


def test_a_run_of_another_config_is_refused(make_job: MakeJob, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = stopped(make_job(*SETTINGS["softmax"], *COMMON), monkeypatch, 1)
    other = make_job(*SETTINGS["softmax"], *COMMON, "seed=1")
    with pytest.raises(
        StoreError, match=r"expected seedbed\.signature=.* one configuration and one code, got"
    ):
        run(other, run_id)
    assert client_of(other).get_run(run_id).info.status == "KILLED"


def test_a_run_of_other_code_is_refused(make_job: MakeJob, monkeypatch: pytest.MonkeyPatch) -> None:
    job = make_job(*SETTINGS["softmax"], *COMMON)
    run_id = stopped(job, monkeypatch, 1)
    monkeypatch.setattr("seedbed.track.provenance.code_digest", lambda _: "0" * 16)
    with pytest.raises(StoreError, match=r"expected seedbed\.code_digest=0{16}, .* Start a new run"):
        run(job, run_id)


def test_a_run_that_is_not_there_is_told(make_job: MakeJob) -> None:
    job = make_job(*SETTINGS["softmax"], *COMMON)
    with pytest.raises(StoreError, match=r"^run 0{32}: .*not found.*seedbed ui"):
        run(job, "0" * 32)
    assert not folder(job, "0" * 32).exists()


def test_every_read_of_the_test_split_is_counted(make_job: MakeJob) -> None:
    job = make_job(*SETTINGS["softmax"], *COMMON)
    run_id = killed(job, MOMENTS["while the test split is read"])
    assert tags(job, run_id)["seedbed.num_test_reads"] == "1"
    run(job, run_id)
    assert tags(job, run_id)["seedbed.num_test_reads"] == "2"


def test_runs_that_read_one_test_split_name_the_same_and_others_another(make_job: MakeJob) -> None:
    changes = [(), ("seed=1",), ("data.val_fraction=0.3",), ("data.test_fraction=0.3",)]
    short = ("trainer.max_epochs=1", "evaluate_test=true", "track.log_model=false")
    jobs = [make_job("model=softmax", *short, *change) for change in changes]
    named = [tags(job, run(job).run_id)["seedbed.test_split"] for job in jobs]
    assert named[0] == named[1] == named[2] != named[3]


def test_a_run_that_reads_no_test_split_counts_none(make_job: MakeJob) -> None:
    job = make_job("model=softmax", "trainer.max_epochs=1", "track.log_model=false")
    found = tags(job, run(job).run_id)
    assert "seedbed.num_test_reads" not in found
    assert "seedbed.test_split" not in found


# In so many parts, for as many test processes, a run is killed before each of its effects.
NUM_PARTS = 4
# Whatever leaves a mark outside the process.
EFFECTS = [
    *(
        Moment("mlflow", f"MlflowClient.{name}")
        for name in (
            "create_run",
            "log_batch",
            "log_artifact",
            "log_inputs",
            "set_tag",
            "update_run",
            "create_logged_model",
            "log_model_artifacts",
            "log_outputs",
            "finalize_logged_model",
            "set_terminated",
        )
    ),
    Moment("os", "replace"),
    Moment("pathlib", "Path.unlink"),
    Moment("os", "write"),
    Moment("os", "fsync"),
]


@pytest.mark.slow
@pytest.mark.parametrize("first", range(1, NUM_PARTS + 1))
def test_a_run_killed_before_each_of_its_effects_ends_as_if_undisturbed(
    make_job: MakeJob, undisturbed: Undisturbed, tmp_path: Path, first: int
) -> None:
    done = 0
    for call in itertools.count(first, NUM_PARTS):
        job = make_job(*SETTINGS["softmax"], *COMMON, f"track.root={tmp_path / str(call)}")
        code = ended(job, EFFECTS, call)
        if code == 0:
            break
        assert code == -signal.SIGKILL
        if not runs(job):
            continue
        run_id = only_run(job)
        if client_of(job).get_run(run_id).info.status != "FINISHED":
            run(job, run_id)
            done += 1
        assert_same(trace(job, run_id), undisturbed("softmax"))
    assert done > 50 // NUM_PARTS
