"""The trace of a training is the same, to the last bit, whenever the training is."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from mlflow import MlflowClient

from seedbed.errors import Stopped
from seedbed.job import Job
from seedbed.trace import array_digest, weights_digest
from seedbed.train import run

MakeJob = Callable[..., Job]
SHORT = (
    "model=mlp",
    "model.dropout=0.2",
    "trainer.max_epochs=2",
    "data.batch_size=100",
    "evaluate_test=true",
)


def left(job: Job, run_id: str, folder: Path) -> tuple[dict[str, object], np.ndarray, dict[str, str]]:
    """What a run has left: its trace, its objectives, its metrics to the last bit."""
    client = MlflowClient(f"sqlite:///{job.config['track']['root']}/mlflow.db")
    path = Path(client.download_artifacts(run_id, "fit", str(folder)))
    metrics = json.loads((path / "metrics.json").read_text())
    told = {name: value for name, value in metrics.items() if not name.endswith("seconds")}
    return json.loads((path / "trace.json").read_text()), np.load(path / "objectives.npy"), told


def test_an_interruption_leaves_no_trace(
    make_job: MakeJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = make_job(*SHORT)
    expected = left(whole, run(whole).run_id, tmp_path)
    cut = make_job(*SHORT, f"track.root={tmp_path}/cut")
    steps = iter(range(18))

    def largest(self: object, number: int) -> int:
        return 15 if next(steps, None) == 17 else number

    with monkeypatch.context() as patched:
        patched.setattr("seedbed.seat.Seat.largest", largest)
        with pytest.raises(Stopped):
            run(cut)
    client = MlflowClient(f"sqlite:///{tmp_path}/cut/mlflow.db")
    (found,) = client.search_runs([e.experiment_id for e in client.search_experiments()])
    run(cut, found.info.run_id)
    trace, objectives, metrics = left(cut, found.info.run_id, tmp_path / "told")
    assert (trace, metrics) == (expected[0], expected[2])
    assert np.array_equal(objectives, expected[1])
    assert len(objectives) == 24


def test_the_trace_tells_what_was_trained(make_job: MakeJob, tmp_path: Path) -> None:
    job = make_job(*SHORT)
    outcome = run(job)
    trace, _, metrics = left(job, outcome.run_id, tmp_path)
    client = MlflowClient(f"sqlite:///{job.config['track']['root']}/mlflow.db")
    path = client.download_artifacts(outcome.run_id, "checkpoints/last.ckpt", str(tmp_path))
    state = torch.load(path, weights_only=True)["state_dict"]
    network = {name.removeprefix("network."): value for name, value in state.items()}
    assert trace["epochs"][-1] == weights_digest(network)  # type: ignore[index]
    predictions = np.load(client.download_artifacts(outcome.run_id, "test/predictions.npz", str(tmp_path)))
    assert trace["test_logits"] == array_digest(predictions["logits"])
    assert {name: float.fromhex(value) for name, value in metrics.items()} == {
        name: value for name, value in outcome.metrics.items() if not name.endswith("seconds")
    }


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.int64])
def test_one_bit_makes_another_digest(dtype: torch.dtype) -> None:
    state = {"weight": torch.ones(2, 3, dtype=dtype), "count": torch.zeros((), dtype=torch.int64)}
    other = {**state, "weight": state["weight"].clone()}
    assert weights_digest(state) == weights_digest(other)
    other["weight"][1, 2] += 1
    digests = {weights_digest(state), weights_digest(other), weights_digest({"other": state["weight"]})}
    assert len(digests | {weights_digest({**state, "weight": torch.ones(3, 2, dtype=dtype)})}) == 4
