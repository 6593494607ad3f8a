"""The MLflow model of a run answers in a process that has never seen this repository."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
import torch

from seedbed import predictor
from seedbed.data.preprocessing import Preprocessing
from seedbed.errors import StoreError
from seedbed.model.cnn import Cnn
from seedbed.model.linear import Logistic
from seedbed.predictor import Predictor
from seedbed.shapes import Facts
from seedbed.track.record import Record
from seedbed.track.store import Store

LoadModel = Callable[[str], Any]

# Sums of another batch size may run in another order.
ROUNDING = 1e-6
CASES: dict[str, tuple[type[Any], tuple[int, ...], tuple[str, ...], dict[str, Any]]] = {
    "images": (
        Cnn,
        (1, 8, 8),
        ("nought", "one", "two"),
        {"channels": [4], "hidden_features": 5, "dropout": 0.1},
    ),
    "table": (Logistic, (2,), ("ill", "well"), {}),
}

# Run with no path to the checkout: an editable install is taken off again.
CLIENT = """
import json, sys
sys.path[:] = [path for path in sys.path if path not in json.loads(sys.argv[4])]
sys.meta_path[:] = [finder for finder in sys.meta_path if "editable" not in repr(finder)]
import mlflow, numpy as np
mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model(sys.argv[2])
answer = model.predict(np.load(sys.argv[3]))
import seedbed
told = {"columns": list(answer.columns), "values": answer.to_numpy().tolist(), "from": seedbed.__file__}
print(json.dumps(told))
"""


def raw_inputs(shape: tuple[int, ...], num: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    if len(shape) == 3:
        return torch.randint(0, 256, (num, *shape), generator=generator, dtype=torch.uint8)
    return torch.randn(num, *shape, generator=generator, dtype=torch.float64)


def fitted(folder: Path, case: str) -> Path:
    cls, shape, names, keys = CASES[case]
    network = cls(input_shape=shape, num_classes=len(names), **keys)
    predictor.save(
        folder,
        network_config={"_target_": f"{cls.__module__}.{cls.__qualname__}", **keys},
        facts=Facts(shape, len(names), names),
        state=network.state_dict(),
        preprocessing=Preprocessing(*(torch.tensor([value]) for value in (16.0, 0.5, 0.25))),
        feature_map=None,
        dtype="32-true",
        example=raw_inputs(shape, 2),
    )
    return folder


def start(store: Store) -> Record:
    return Record.start(store, experiment="e", name="n", params={"p": 1}, tags={})


def asked(store: Store, uri: str, inputs: Path) -> dict[str, Any]:
    """What a fresh process without the checkout gets from the model."""
    checkout = Path(predictor.__file__).parents[1]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-c", CLIENT, store.uri, uri, str(inputs), json.dumps([str(checkout), ""])]
    done = subprocess.run(
        command, cwd=inputs.parent, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert not Path(answer["from"]).is_relative_to(checkout)
    return answer


@pytest.mark.parametrize("case", CASES)
def test_a_fresh_process_without_the_checkout_runs_it_on_another_batch_size(
    store: Store, tmp_path: Path, case: str
) -> None:
    folder = fitted(tmp_path / "predictor", case)
    record = start(store)
    record.log_model(folder)
    raw = raw_inputs(CASES[case][1], 5)
    np.save(tmp_path / "raw.npy", raw.numpy())
    answer = asked(store, f"runs:/{record.run_id}/model", tmp_path / "raw.npy")
    assert tuple(answer["columns"]) == CASES[case][2]
    np.testing.assert_allclose(answer["values"], Predictor.load(folder)(raw).numpy(), rtol=ROUNDING)


def test_the_run_shows_one_ready_model_with_signature_and_example(
    store: Store, tmp_path: Path, load_model: LoadModel
) -> None:
    record = start(store)
    record.log_model(fitted(tmp_path / "predictor", "images"))
    run = store.client.get_run(record.run_id)
    (output,) = run.outputs.model_outputs
    entity = store.client.get_logged_model(output.model_id)
    assert (entity.name, entity.status, entity.source_run_id) == ("model", "READY", record.run_id)
    loaded = load_model(entity.artifact_location)
    assert loaded.metadata.signature.inputs.to_dict() == [
        {"type": "tensor", "tensor-spec": {"dtype": "uint8", "shape": (-1, 1, 8, 8)}}
    ]
    assert loaded.metadata.signature.outputs.input_names() == ["nought", "one", "two"]
    assert loaded.input_example.shape == (2, 1, 8, 8)
    assert loaded.predict(loaded.input_example).shape == (2, 3)


def test_whole_numbers_and_fractions_in_one_data_frame_are_taken(
    store: Store, tmp_path: Path, load_model: LoadModel
) -> None:
    record = start(store)
    record.log_model(fitted(tmp_path / "predictor", "table"))
    location = store.client.get_logged_model(
        store.client.get_run(record.run_id).outputs.model_outputs[0].model_id
    ).artifact_location
    model = load_model(location)
    frame = pd.DataFrame({"age": [50, 60], "dose": [0.5, 1.5]})
    assert model.predict(frame).shape == (2, 2)


def test_it_carries_only_the_code_and_the_packages_it_needs(store: Store, tmp_path: Path) -> None:
    record = start(store)
    record.log_model(fitted(tmp_path / "predictor", "images"))
    entity = store.client.get_logged_model(
        store.client.get_run(record.run_id).outputs.model_outputs[0].model_id
    )
    folder = Path(entity.artifact_location.removeprefix("file://"))
    modules = {str(path.relative_to(folder / "code" / "seedbed")) for path in folder.rglob("*.py")}
    assert {"predictor.py", "model/cnn.py", "data/preprocessing.py", "errors.py"} <= modules
    assert not modules & {"train.py", "cli.py", "config.py", "track/record.py", "data/module.py"}
    requirements = (folder / "requirements.txt").read_text().split()
    assert {line.partition("==")[0] for line in requirements} >= {"mlflow", "torch", "numpy", "jaxtyping"}
    assert not [line for line in requirements if "lightning" in line or "hydra" in line]


def test_a_model_that_did_not_arrive_is_failed(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    record = start(store)
    monkeypatch.setattr(store.client, "log_model_artifacts", full)
    with pytest.raises(StoreError, match=r"run .*, model: .*No space left on device"):
        record.log_model(fitted(tmp_path / "predictor", "table"))
    experiment = store.client.get_run(record.run_id).info.experiment_id
    (entity,) = store.client.search_logged_models([experiment])
    assert entity.status == "FAILED"


def test_recording_a_model_leaves_mlflows_global_state_alone(store: Store, tmp_path: Path) -> None:
    before = (
        mlflow.get_tracking_uri(),
        mlflow.active_run(),
        mlflow.last_active_run(),
        mlflow.get_active_model_id(),
    )
    start(store).log_model(fitted(tmp_path / "predictor", "table"))
    after = (
        mlflow.get_tracking_uri(),
        mlflow.active_run(),
        mlflow.last_active_run(),
        mlflow.get_active_model_id(),
    )
    assert before == after
