"""What a run costs in things that can be counted alike on every machine: calls, requests, imports, waits."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from torch.utils._python_dispatch import TorchDispatchMode

from seedbed.classifier import Classifier
from seedbed.train import run
from tests.conftest import MakeJob

LIMIT_SECONDS = 240
NUM_EPOCHS = 5
SHORT = (
    f"trainer.max_epochs={NUM_EPOCHS}",
    "track.system_metrics=false",
    "track.pictures=false",
    "trainer.num_threads=1",
)
# What makes a host wait for a device, or moves data between the two.
WAITS = ("aten._local_scalar_dense.default", "aten.nonzero.default", "aten.is_nonzero.default")
# A conversion that names a device; and a tensor that is made of Python's numbers.
MOVED, TAKING_A_DEVICE = "moved", ("aten._to_copy.default", "aten.to.device")
COPIES = (MOVED, "aten.lift_fresh.default", "aten._pin_memory.default")


class Operations(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts torch's operations by name."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.found: Counter[str] = Counter()

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        named = {} if kwargs is None else kwargs
        moves = named.get("device") is not None and str(function) in TAKING_A_DEVICE
        self.found[MOVED if moves else str(function)] += 1
        return function(*args, **named)


# Counts the calls of Python functions in each step of a run, those of libraries included.
COUNTING = """if True:
    import json, sys
    from seedbed import lean
    lean.put_off()  # as the command does
    from seedbed.cli.command import main
    from seedbed.classifier import Classifier

    found, step = [], Classifier.step

    def counted(self, batch):
        number = 0

        def count(frame, event, argument):
            nonlocal number
            number += event == "call"

        sys.setprofile(count)
        step(self, batch)
        sys.setprofile(None)
        found.append(number)

    Classifier.step = counted
    sys.argv = ["seedbed", "train", *sys.argv[1:]]
    try:
        main()
    except SystemExit as end:
        assert not end.code, end
    print(json.dumps(found))
"""


# Another process, because the tests' own checks of types would be counted. Measured 167, 197 and 326
# with torch 2.15; some room for other versions.
@pytest.mark.parametrize(
    ("setting", "most"),
    [
        (("model=softmax", "optimizer=sgd"), 200),
        pytest.param(("model=mlp", "optimizer=sgd"), 240, marks=pytest.mark.slow),
        (("model=cnn", "optimizer=adamw"), 380),
    ],
    ids=str,
)
def test_python_calls_of_a_step(tmp_path: Path, setting: tuple[str, ...], most: int) -> None:
    arguments = (*setting, *SHORT, f"track.root={tmp_path / 'mlruns'}")
    done = subprocess.run(
        [sys.executable, "-c", COUNTING, *arguments],
        capture_output=True,
        text=True,
        check=True,
        timeout=LIMIT_SECONDS,
    )
    found = json.loads(done.stdout.splitlines()[-1])
    assert len(found) > NUM_EPOCHS
    assert max(found[1:]) <= most, found


def test_no_step_waits_for_the_device_or_copies_to_or_from_it(
    make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[Counter[str]] = []
    step = Classifier.step

    def counted(self: Classifier, batch: Any) -> None:
        with Operations() as operations:
            step(self, batch)
        found.append(operations.found)

    monkeypatch.setattr(Classifier, "step", counted)
    run(make_job("model=mlp", "model.dropout=0.2", "optimizer=sgd", *SHORT))
    later = found[1:]
    assert len(later) > NUM_EPOCHS
    assert all(operations["aten.addmm.default"] for operations in later)
    told = [{name: count for name, count in one.items() if name in (*WAITS, *COPIES)} for one in later]
    assert told == [{}] * len(later)


def requests(make_job: MakeJob, monkeypatch: pytest.MonkeyPatch, *overrides: str) -> Counter[str]:
    """What is asked of MLflow in one run, by the client's method."""
    found: Counter[str] = Counter()

    def counted(name: str, method: Any) -> Any:
        def call(*arguments: Any, **keywords: Any) -> Any:
            found[name] += 1
            return method(*arguments, **keywords)

        return call

    writing = ("log_", "set_", "update_", "create_", "delete_", "finalize_")
    with monkeypatch.context() as patched:
        for name in dir(MlflowClient):
            if name.startswith(writing):
                patched.setattr(MlflowClient, name, counted(name, getattr(MlflowClient, name)))
        run(make_job("model=softmax", *SHORT, *overrides))
    return found


def test_an_epoch_is_one_request_where_each_is_delivered(
    make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once = "track.deliver_seconds=0"
    few = requests(make_job, monkeypatch, at_once, "trainer.max_epochs=3")
    many = requests(make_job, monkeypatch, at_once, "trainer.max_epochs=13")
    assert many["log_batch"] - few["log_batch"] == 10
    assert {name: many[name] - few[name] for name in many if name != "log_batch"} == dict.fromkeys(
        set(many) - {"log_batch"}, 0
    )


def test_epochs_share_a_request_where_deliveries_are_apart(
    make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = requests(make_job, monkeypatch, "track.deliver_seconds=1000")
    root = make_job().config["track"]["root"]
    client = MlflowClient(f"sqlite:///{root}/mlflow.db")
    experiment = client.get_experiment_by_name("seedbed")
    assert experiment is not None
    (only,) = client.search_runs([experiment.experiment_id])
    assert only.info.status == "FINISHED"
    points = client.get_metric_history(only.info.run_id, "train/loss")
    assert [point.step for point in points] == list(range(1, NUM_EPOCHS + 1))
    assert found["log_batch"] <= 6, found


# Measured 132, 330, 376 and 404 with Python 3.11.
@pytest.mark.parametrize(
    ("arguments", "most"),
    [
        (("--help",), 200),
        (("train", "--help"), 450),
        (("train", "modle=cnn"), 550),
        (("train", "-m", "seed=range(0,5)", "--plan"), 600),
    ],
    ids=str,
)
def test_what_trains_nothing_imports_little(arguments: tuple[str, ...], most: int, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "seedbed", *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_SECONDS,
    )
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    modules = {line.rpartition("|")[2].strip() for line in lines}
    assert not modules & {"torch", "mlflow", "numpy", "pytorch_lightning", "scipy"}
    assert "seedbed.cli" in modules
    assert len(lines) <= most
