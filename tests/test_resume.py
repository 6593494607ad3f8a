"""A run that was cut off and goes on ends as one that nobody disturbed, to the last bit."""

import os
import shutil
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from mlflow import MlflowClient
from mlflow.artifacts import download_artifacts

from seedbed.classifier import Classifier
from seedbed.errors import Stopped, StoreError
from seedbed.job import Job
from seedbed.saving import StepEnd
from seedbed.train import run
from tests.conftest import MakeJob, jobs_in
from tests.kills import Moment, ended, killed, only_run

NUM_EPOCHS, NUM_STEPS = 3, 18  # of an epoch of the digits
COMMON = (f"trainer.max_epochs={NUM_EPOCHS}", "trainer.num_threads=1", "evaluate_test=true")
SETTINGS = {
    "softmax": ("model=softmax", "optimizer=sgd", "optimizer.momentum=0.9", "schedule=constant"),
    "mlp": ("model=mlp", "model.dropout=0.3", "optimizer=adamw", "schedule=one_cycle"),
    "cnn": ("model=cnn", "data.crop_padding=1", "data.flip=true", "optimizer=sgd", "schedule=one_cycle"),
    "lbfgs": ("model=softmax", "optimizer=lbfgs", "optimizer.max_iter=3", "schedule=constant"),
    "overshooting": ("model=softmax", "optimizer=sgd", "optimizer.lr=3.0", "schedule=constant", "seed=1"),
}
SETTINGS["lbfgs"] += ("data.batch_size=null", "objective.l2=0.001")
MIDDLE = Moment("seedbed.classifier", "Classifier.training_step", NUM_STEPS * 3 // 2)
AFTER_FIT = Moment("seedbed.growing", "evaluate_test")
MOMENTS = {
    "before its params": Moment("seedbed.track.record", "Record._log_texts"),
    "between its first artifacts": Moment("seedbed.track.record", "Record.log_file", 3),
    "in the first epoch": Moment("seedbed.classifier", "Classifier.training_step", 5),
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


class Trace(NamedTuple):
    """All of a run that must not depend on what happened to its process."""

    status: str
    params: dict[str, str]
    weights: dict[str, torch.Tensor]
    history: dict[str, list[tuple[int, float]]]
    timed: dict[str, list[int]]
    predictions: dict[str, np.ndarray[Any, Any]]
    artifacts: set[str]
    splits: list[str]
    models: list[str]


def client_of(job: Job) -> MlflowClient:
    return MlflowClient(f"sqlite:///{job.config['track']['root']}/mlflow.db")


def tags(job: Job, run_id: str) -> dict[str, str]:
    return dict(client_of(job).get_run(run_id).data.tags)


def folder(job: Job, run_id: str) -> Path:
    return Path(job.config["track"]["root"]) / "runs" / run_id


def artifact(job: Job, run_id: str, path: str) -> Path:
    uri = client_of(job).tracking_uri
    return Path(download_artifacts(run_id=run_id, artifact_path=path, tracking_uri=uri))


def trace(job: Job, run_id: str) -> Trace:
    client = client_of(job)
    found = client.get_run(run_id)
    names = sorted(found.data.metrics)
    points = {name: client.get_metric_history(run_id, name) for name in names}
    weights: dict[str, Any] = {}
    for name in ("last", "best"):
        checkpoint = torch.load(artifact(job, run_id, f"checkpoints/{name}.ckpt"), weights_only=True)
        weights |= {f"{name} {key}": value for key, value in checkpoint["state_dict"].items()}
        weights |= {f"{name} epoch": torch.tensor(checkpoint["epoch"])}
    assert found.inputs is not None
    models = client.search_logged_models([found.info.experiment_id])
    root = artifact(job, run_id, "")
    return Trace(
        found.info.status,
        found.data.params,
        {key: value for key, value in weights.items() if isinstance(value, torch.Tensor)},
        {
            name: [(point.step, point.value) for point in points[name]]
            for name in names
            if not name.endswith("_seconds")
        },
        {name: [point.step for point in points[name]] for name in names if name.endswith("_seconds")},
        dict(np.load(root / "test/predictions.npz")),
        {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()},
        [split.tags[0].value for split in found.inputs.dataset_inputs],
        [str(model.status) for model in models if model.source_run_id == run_id],
    )


def assert_same(got: Trace, expected: Trace) -> None:
    for name in ("status", "params", "history", "timed", "artifacts", "splits", "models"):
        assert getattr(got, name) == getattr(expected, name), name
    assert got.weights.keys() == expected.weights.keys()
    assert [key for key, value in got.weights.items() if not torch.equal(value, expected.weights[key])] == []
    assert got.predictions.keys() == expected.predictions.keys()
    for key, value in got.predictions.items():
        assert np.array_equal(value, expected.predictions[key]), key


Undisturbed = Callable[[str], Trace]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """What each setting gives that nobody disturbs; trained when first asked for."""
    known: dict[str, Trace] = {}
    jobs = {}
    for setting, overrides in SETTINGS.items():
        with jobs_in(tmp_path_factory.mktemp(setting)) as make:
            jobs[setting] = make(*overrides, *COMMON)

    def of(setting: str) -> Trace:
        if setting not in known:
            job = jobs[setting]
            known[setting] = trace(job, run(job).run_id)
        return known[setting]

    return of


def stopped(
    job: Job,
    monkeypatch: pytest.MonkeyPatch,
    call: int = MIDDLE.call,
    method: str = "training_step",
    signals: int = 1,
) -> str:
    """Runs the job in this process until signals come in this call of a classifier's step; the run's id."""
    step, count = getattr(Classifier, method), 0

    def counted(self: Classifier, *arguments: Any) -> None:
        nonlocal count
        count += 1
        for _ in range(signals if count == call else 0):
            signal.raise_signal(signal.SIGTERM)
        step(self, *arguments)

    with monkeypatch.context() as patched:
        patched.setattr(Classifier, method, counted)
        with pytest.raises(Stopped):
            run(job)
    return only_run(job)


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
    killed(job, Moment("seedbed.classifier", "Classifier.training_step", NUM_STEPS + 3), run_id)
    killed(job, AFTER_FIT, run_id)
    run(job, run_id)
    assert_same(trace(job, run_id), undisturbed("softmax"))
    told = tags(job, run_id)["seedbed.resumed"].splitlines()
    starts = [line.partition(" on ")[0] for line in told]
    assert starts == ["1: after epoch 1 of 3", "2: after epoch 2 of 3", "3: after epoch 3 of 3"]


@pytest.mark.parametrize(
    ("setting", "step", "place"),
    [
        ("softmax", 1, "epoch 0 of 3 and 1 step"),
        ("softmax", NUM_STEPS - 1, "epoch 0 of 3 and 17 steps"),
        ("softmax", NUM_STEPS, "epoch 1 of 3"),
        ("mlp", MIDDLE.call, "epoch 1 of 3 and 9 steps"),
        ("overshooting", NUM_STEPS * 3 - 1, "epoch 2 of 3 and 17 steps"),
        ("softmax", NUM_STEPS * 3, "epoch 3 of 3"),
    ],
)
def test_a_run_stopped_by_a_signal_goes_on_with_the_next_step(
    make_job: MakeJob,
    undisturbed: Undisturbed,
    monkeypatch: pytest.MonkeyPatch,
    setting: str,
    step: int,
    place: str,
) -> None:
    job = make_job(*SETTINGS[setting], *COMMON)
    run_id = stopped(job, monkeypatch, step)
    assert client_of(job).get_run(run_id).info.status == "KILLED"
    run(job, run_id)
    assert tags(job, run_id)["seedbed.resumed"].startswith(f"1: after {place} on ")
    assert_same(trace(job, run_id), undisturbed(setting))


@pytest.mark.parametrize(("setting", "every"), [("softmax", 1), ("mlp", 4), ("cnn", 5)])
def test_a_killed_run_goes_on_from_its_last_step_checkpoint(
    make_job: MakeJob, undisturbed: Undisturbed, setting: str, every: int
) -> None:
    job = make_job(*SETTINGS[setting], *COMMON, f"trainer.checkpoint_every_steps={every}")
    run_id = killed(job, MIDDLE)
    run(job, run_id)
    steps = (MIDDLE.call - 1) // every * every - NUM_STEPS
    assert tags(job, run_id)["seedbed.resumed"].startswith(f"1: after epoch 1 of 3 and {steps} steps on ")
    assert_same(trace(job, run_id), undisturbed(setting))


@pytest.mark.parametrize("signals", [1, 2])
def test_a_signal_in_validation_waits_for_the_end_of_the_epoch_and_a_second_one_does_not(
    make_job: MakeJob, undisturbed: Undisturbed, monkeypatch: pytest.MonkeyPatch, signals: int
) -> None:
    job = make_job(*SETTINGS["softmax"], *COMMON, "trainer.checkpoint_every_steps=10")
    run_id = stopped(job, monkeypatch, 2, "validation_step", signals)
    run(job, run_id)
    place = {1: "after epoch 2 of 3 on", 2: "after epoch 1 of 3 and 12 steps on"}[signals]
    assert tags(job, run_id)["seedbed.resumed"].startswith(f"1: {place}")
    assert_same(trace(job, run_id), undisturbed("softmax"))


def test_a_second_signal_inside_the_checkpoint_of_the_first_leaves_the_one_before_it(
    make_job: MakeJob, undisturbed: Undisturbed, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job(*SETTINGS["softmax"], *COMMON)
    save, sync = StepEnd._save, os.fsync

    def interrupted(descriptor: int) -> None:
        signal.raise_signal(signal.SIGTERM)
        sync(descriptor)

    def saved(self: StepEnd, *arguments: Any) -> None:
        with monkeypatch.context() as inside:
            inside.setattr("seedbed.checkpoint.os.fsync", interrupted)
            save(self, *arguments)

    monkeypatch.setattr(StepEnd, "_save", saved)
    run_id = stopped(job, monkeypatch)
    assert {path.name for path in folder(job, run_id).glob("last.*")} == {"last.ckpt"}
    run(job, run_id)
    assert tags(job, run_id)["seedbed.resumed"].startswith("1: after epoch 1 of 3 on ")
    assert_same(trace(job, run_id), undisturbed("softmax"))


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


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def halve(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def of_another_config(path: Path) -> None:
    checkpoint = torch.load(path, weights_only=True)
    checkpoint["seedbed"]["signature"] = "0" * 16
    torch.save(checkpoint, path)


def of_another_program(path: Path) -> None:
    torch.save({"state_dict": {}}, path)


TAMPERED: list[tuple[Mapping[str, Callable[[Path], None]], str, list[str]]] = [
    ({"last.ckpt": truncate}, "2 of 3 and 4 steps", ["last.ckpt refused: expected a whole checkpoint, got "]),
    ({"last.ckpt": halve}, "2 of 3 and 4 steps", ["last.ckpt refused: expected a whole checkpoint, got "]),
    (
        {"last.ckpt": of_another_config},
        "2 of 3 and 4 steps",
        ["last.ckpt refused: expected signature ", ", got 0000"],
    ),
    (
        {"last.ckpt": of_another_program},
        "2 of 3 and 4 steps",
        ["last.ckpt refused: expected a whole checkpoint, got KeyError"],
    ),
    ({"last.ckpt": Path.unlink}, "2 of 3 and 4 steps", []),
    (
        {"last.ckpt": truncate, "previous.ckpt": halve},
        "2 of 3",
        ["last.ckpt refused: expected a whole", "previous.ckpt refused: expected a whole"],
    ),
    (
        {"last.ckpt": truncate, "previous.ckpt": Path.unlink, "best.ckpt": of_another_config},
        "0 of 3",
        ["last.ckpt refused: expected a whole", "best.ckpt refused: expected signature "],
    ),
]


@pytest.mark.parametrize(("tampered", "place", "told"), TAMPERED)
def test_a_checkpoint_that_cannot_serve_is_refused_by_name_and_the_one_before_it_serves(
    make_job: MakeJob,
    undisturbed: Undisturbed,
    monkeypatch: pytest.MonkeyPatch,
    tampered: Mapping[str, Callable[[Path], None]],
    place: str,
    told: list[str],
) -> None:
    job = make_job(*SETTINGS["softmax"], *COMMON, "trainer.checkpoint_every_steps=4")
    run_id = stopped(job, monkeypatch, NUM_STEPS * 2 + 5)
    for name, tamper in tampered.items():
        tamper(folder(job, run_id) / name)
    run(job, run_id)
    line = tags(job, run_id)["seedbed.resumed"]
    assert line.startswith(f"1: after epoch {place} on ")
    assert [words for words in told if words not in line] == []
    assert ("refused" in line) == bool(told)
    assert_same(trace(job, run_id), undisturbed("softmax"))


@pytest.mark.parametrize("moment", ["between the fit and the test", "between the journal and the checkpoint"])
def test_a_best_epoch_that_is_not_the_last_stays_the_best(
    make_job: MakeJob, undisturbed: Undisturbed, moment: str
) -> None:
    job = make_job(*SETTINGS["overshooting"], *COMMON)
    run_id = killed(job, MOMENTS[moment])
    run(job, run_id)
    expected = undisturbed("overshooting")
    assert expected.history["best_val/epoch"] == [(NUM_EPOCHS, NUM_EPOCHS - 1)]
    assert_same(trace(job, run_id), expected)


def test_the_last_checkpoint_cannot_serve_without_the_best_one(
    make_job: MakeJob, undisturbed: Undisturbed
) -> None:
    job = make_job(*SETTINGS["overshooting"], *COMMON)
    run_id = killed(job, AFTER_FIT)
    (folder(job, run_id) / "best.ckpt").unlink()
    run(job, run_id)
    told = tags(job, run_id)["seedbed.resumed"]
    assert told.startswith("1: after epoch 2 of 3 on ")  # the previous one, which is its own best
    assert told.endswith("; last.ckpt refused: expected best.ckpt of epoch 2 beside it, got none")
    assert_same(trace(job, run_id), undisturbed("overshooting"))


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


def test_seconds_of_a_resumed_run_count_from_its_beginning(
    make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job(*SETTINGS["softmax"], *COMMON)
    run_id = stopped(job, monkeypatch, NUM_STEPS * 2 + 1)
    checkpoint = torch.load(folder(job, run_id) / "last.ckpt", weights_only=True)
    checkpoint["callbacks"]["EpochEnd"]["_earlier"] = {"wall": 1000.0, "cpu": 2000.0}
    torch.save(checkpoint, folder(job, run_id) / "last.ckpt")
    metrics = run(job, run_id).metrics
    assert 1000 < metrics["fit/wall_seconds"] < 1500
    assert 2000 < metrics["fit/cpu_seconds"] < 2500


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
    Moment("pathlib", "Path.replace"),
    Moment("pathlib", "Path.unlink"),
    Moment("os", "write"),
    Moment("os", "fsync"),
]


@pytest.mark.slow
def test_a_run_killed_before_each_of_its_effects_ends_as_if_undisturbed(
    make_job: MakeJob, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    done, call = 0, 1
    while True:
        job = make_job(*SETTINGS["softmax"], *COMMON, f"track.root={tmp_path / str(call)}")
        code = ended(job, EFFECTS, call)
        call += 1
        if code == 0:
            break
        assert code == -signal.SIGKILL
        if not (tmp_path / str(call - 1) / "mlflow.db").exists() or not runs(job):
            continue  # killed before there was a run
        run_id = only_run(job)
        if client_of(job).get_run(run_id).info.status != "FINISHED":
            run(job, run_id)
            done += 1
        assert_same(trace(job, run_id), undisturbed("softmax"))
    assert done > 50


def runs(job: Job) -> list[Any]:
    client = client_of(job)
    return list(client.search_runs([found.experiment_id for found in client.search_experiments()]))
