"""What must not depend on what happened to a run's process, and the settings that are asked for it."""

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from mlflow import MlflowClient
from mlflow.artifacts import download_artifacts

from seedbed.classifier import Classifier
from seedbed.errors import Stopped
from seedbed.job import Job
from seedbed.track.kept import files_in
from seedbed.train import run
from tests.conftest import jobs_in
from tests.kills import Moment, only_run

NUM_EPOCHS, NUM_STEPS = 3, 18  # of an epoch of the digits
# Each line to the store at once: a kill between any two of them, at the same one every time.
AT_ONCE = "track.deliver_seconds=0"
COMMON = (f"trainer.max_epochs={NUM_EPOCHS}", "trainer.num_threads=1", "evaluate_test=true", AT_ONCE)
SETTINGS = {
    "softmax": ("model=softmax", "optimizer=sgd", "optimizer.momentum=0.9", "schedule=constant"),
    "mlp": ("model=mlp", "model.dropout=0.3", "optimizer=adamw", "schedule=one_cycle"),
    "cnn": ("model=cnn", "data.crop_padding=1", "data.flip=true", "optimizer=sgd", "schedule=one_cycle"),
    "lbfgs": ("model=softmax", "optimizer=lbfgs", "optimizer.max_iter=3", "schedule=constant"),
    "overshooting": ("model=softmax", "optimizer=sgd", "optimizer.lr=3.0", "schedule=constant", "seed=1"),
}
SETTINGS["scaled"] = (*SETTINGS["mlp"], "trainer.precision=16-mixed")
SETTINGS["lbfgs"] += ("data.batch_size=null", "objective.l2=0.001")
MIDDLE = Moment("seedbed.classifier", "Classifier.step", NUM_STEPS * 3 // 2)
AFTER_FIT = Moment("seedbed.growing", "evaluate")


class Trace(NamedTuple):
    """All of a run that must not depend on what happened to its process."""

    status: str
    params: dict[str, str]
    weights: dict[str, torch.Tensor]
    history: dict[str, list[tuple[int, float]]]
    timed: dict[str, list[int]]
    arrays: dict[str, np.ndarray[Any, Any]]
    digests: str
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
        {"objectives": np.load(root / "fit/objectives.npy"), **np.load(root / "test/predictions.npz")},
        (root / "fit/trace.json").read_text(),
        set(files_in(root)),
        [split.tags[0].value for split in found.inputs.dataset_inputs],
        [str(model.status) for model in models if model.source_run_id == run_id],
    )


def assert_same(got: Trace, expected: Trace) -> None:
    assert got.artifacts ^ expected.artifacts == set(), "artifacts of one of the two"
    for name in ("status", "params", "history", "timed", "splits", "models", "digests"):
        assert getattr(got, name) == getattr(expected, name), name
    assert got.weights.keys() == expected.weights.keys()
    assert [key for key, value in got.weights.items() if not torch.equal(value, expected.weights[key])] == []
    assert got.arrays.keys() == expected.arrays.keys()
    for key, value in got.arrays.items():
        assert np.array_equal(value, expected.arrays[key]), key


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
    method: str = "step",
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
