"""A run is read back from its record alone, and what the record lacks is named."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from mlflow import MlflowClient

from seedbed.errors import StoreError
from seedbed.reproduce.recorded import Recorded, recorded
from tests.conftest import MakeJob, jobs_in
from tests.reproduce.runs import SHORT, store_of, trained


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MakeJob]:
    with jobs_in(tmp_path_factory.mktemp("recorded")) as make_job:
        yield make_job


@pytest.fixture(scope="module")
def run(make: MakeJob) -> Recorded:
    return trained(make(*SHORT))


def client_of(run: Recorded) -> MlflowClient:
    return store_of(run.job).client  # type: ignore[no-any-return]


def artifacts_of(run: Recorded) -> Path:
    return Path(client_of(run).get_run(run.run_id).info.artifact_uri.removeprefix("file://"))


def again(run: Recorded) -> Recorded:
    return recorded(store_of(run.job), run.run_id)


def test_all_of_a_run_is_read_back(make: MakeJob, run: Recorded) -> None:
    job = make(*SHORT)
    assert (run.job, run.status, run.name) == (job, "FINISHED", "mlp digits 0")
    assert run.trace is not None
    assert run.objectives is not None
    assert (len(run.trace["epochs"]), run.objectives.shape) == (2, (36,))  # 18 steps an epoch
    assert set(run.datasets) == {"train", "val", "test"}
    assert run.in_force["num_threads"] == 1
    assert run.packages["torch"].startswith("2.")
    assert run.machine["cpu"] == run.tags["seedbed.cpu"]


def test_values_are_those_that_were_measured_to_the_last_bit(run: Recorded) -> None:
    exact = json.loads((artifacts_of(run) / "fit/metrics.json").read_text())
    kept = {name: value for name, value in exact.items() if not name.endswith("seconds")}
    assert {name: run.final[name].hex() for name in kept} == kept
    assert set(run.history) - set(kept) == {"train/learning_rate"}
    assert list(run.history["val/loss"]) == [1, 2]


def test_times_and_load_are_not_compared(run: Recorded) -> None:
    client_of(run).log_metric(run.run_id, "system/cpu", 1.0)
    assert not [name for name in again(run).history if "seconds" in name or "system" in name]


def test_a_run_of_the_folder_that_was_emptied_is_read_from_its_artifacts(run: Recorded) -> None:
    shutil.rmtree(store_of(run.job).root / "runs" / run.run_id)
    assert again(run).job == run.job


def test_a_study_is_no_run(run: Recorded) -> None:
    tags = {"seedbed.kind": "study"}
    study = client_of(run).create_run("0", run_name="study", tags=tags).info.run_id
    with pytest.raises(StoreError, match=r"expected one run of seedbed.*got a study, which has many"):
        recorded(store_of(run.job), study)


def test_a_run_of_another_program_is_refused(run: Recorded) -> None:
    other = client_of(run).create_run("0", run_name="other").info.run_id
    with pytest.raises(StoreError, match=r"got a record without job\.json"):
        recorded(store_of(run.job), other)


@pytest.mark.parametrize("path", ["job.json", "fit/trace.json", "fit/objectives.npy"])
def test_a_broken_file_is_told_in_one_paragraph(make: MakeJob, path: str) -> None:
    run = trained(make(*SHORT, "trainer.max_epochs=1"))
    (artifacts_of(run) / path).write_bytes(b"{")
    with pytest.raises(StoreError, match=r"expected files as this program wrote them.*seedbed verify"):
        again(run)


def test_no_object_is_unpickled(make: MakeJob) -> None:
    run = trained(make(*SHORT, "trainer.max_epochs=1"))
    np.save(artifacts_of(run) / "fit/objectives.npy", np.array([{}], dtype=object))
    with pytest.raises(StoreError, match="Object arrays cannot be loaded when allow_pickle=False"):
        again(run)
