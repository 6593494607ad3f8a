"""The same record on a real tracking server, artifacts through it."""

import math
from collections.abc import Iterator
from pathlib import Path

import mlflow
import numpy as np
import pytest

from seedbed.track.record import Record
from seedbed.track.store import Store
from tests.served import served
from tests.track.test_registered import LoadModel, fitted

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def server(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(tmp_path_factory.mktemp("server") / "served", migrated) as process:
        process.start()
        yield process.address


@pytest.fixture
def store(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
    return Store.open(tmp_path)


def start(store: Store) -> Record:
    return Record.start(store, experiment="e", name="n", params={"long": "p" * 3000}, tags={"t": "1"})


def test_a_second_delivery_through_the_server_adds_nothing(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    record = start(store)
    values = [0.1 + 2**-56, math.nan, math.inf, -0.0]
    for step in range(1200):
        record.log_metrics({"loss": values[step % 4], "other": float(step)}, step)
    record.deliver()
    (record.folder / "delivered").unlink()
    Record(store, record.run_id).finish("FINISHED")
    run = store.client.get_run(record.run_id)
    assert (run.info.status, run.data.params) == ("FINISHED", {"long": "p" * 3000})
    losses = store.client.get_metric_history(record.run_id, "loss")
    assert [point.step for point in losses] == list(range(1200))
    assert [point.value for point in losses[::4]] == values[:1] * 300
    others = store.client.get_metric_history(record.run_id, "other")
    assert [point.value for point in others] == [float(step) for step in range(1200)]
    assert capsys.readouterr().out == ""  # MLflow's own two lines a run stay away


def test_artifacts_and_the_model_go_through_the_server(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, load_model: LoadModel
) -> None:
    record = start(store)
    record.log_text("text", "a/b.txt")
    record.log_model(fitted(tmp_path / "predictor", "images"))
    assert not list((tmp_path / "artifacts").iterdir())
    monkeypatch.setattr(mlflow.tracking._tracking_service.utils, "_tracking_uri", store.uri)
    model = load_model(f"runs:/{record.run_id}/model")
    assert model.predict(np.zeros((3, 1, 8, 8), np.uint8)).shape == (3, 3)
    path = mlflow.artifacts.download_artifacts(run_id=record.run_id, artifact_path="a/b.txt")
    assert Path(path).read_text() == "text"
