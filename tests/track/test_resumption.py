"""A record that is taken up again is the one that was left, and no other."""

import shutil
import subprocess
import sys
from typing import Any

import pytest
from mlflow.entities import Run

from seedbed.errors import StoreError
from seedbed.track.record import Record
from seedbed.track.store import Store

SAME = {"seedbed.signature": "ab"}


def start(store: Store, **changes: Any) -> Record:
    given: dict[str, Any] = {"experiment": "e", "name": "run", "params": {}, "tags": SAME}
    return Record.start(store, **{**given, **changes})


def resume(record: Record, **changes: Any) -> Record:
    given: dict[str, Any] = {"params": {}, "same": SAME}
    return Record.resume(record.store, record.run_id, **{**given, **changes})


def read(record: Record) -> Run:
    run: Run = record.store.client.get_run(record.run_id)
    return run


@pytest.mark.parametrize("status", ["KILLED", "FAILED", None])
def test_a_run_that_did_not_finish_is_running_again(store: Store, status: str | None) -> None:
    record = start(store)
    if status == "FAILED":
        record.fail(ValueError("no"))
    elif status:
        record.finish("KILLED")
    again = resume(record)
    assert read(record).info.status == "RUNNING"
    assert "seedbed.error" not in read(record).data.tags
    again.finish("FINISHED")
    assert read(record).info.status == "FINISHED"
    with pytest.raises(StoreError, match=r"got one that is FINISHED\. Start a new run\."):
        resume(record)
    assert not (record.folder / "lock").exists()


def test_params_that_a_crash_kept_away_are_added_and_the_others_stay(store: Store) -> None:
    record = start(store, params={"model": "mlp", "lr": 0.1})
    resume(record, params={"model": "cnn", "lr": 0.1, "seed": 3, "long": "x" * 6001})
    params = read(record).data.params
    assert {name: params[name] for name in ("model", "lr", "seed")} == {
        "model": "mlp",
        "lr": "0.1",
        "seed": "3",
    }
    assert record.has("params/long.txt")
    assert not record.has("params/short.txt")


def test_points_go_on_without_one_twice_wherever_the_folder_is(store: Store) -> None:
    record = start(store)
    for step in (1, 2):
        record.log_metrics({"loss": float(step)}, step)
    record.finish("KILLED")
    shutil.rmtree(record.folder)
    again = resume(record)
    for step in (2, 3):
        again.log_metrics({"loss": float(step)}, step)
    again.deliver()
    history = store.client.get_metric_history(record.run_id, "loss")
    assert [(point.step, point.value) for point in history] == [(1, 1.0), (2, 2.0), (3, 3.0)]


@pytest.mark.parametrize(("same", "got"), [({"seedbed.signature": "cd"}, "ab"), ({"other": "x"}, "none")])
def test_a_run_that_is_another_one_is_refused_and_left_alone(
    store: Store, same: dict[str, str], got: str
) -> None:
    record = start(store)
    record.finish("KILLED")
    ((tag, wanted),) = same.items()
    told = f"^run {record.run_id}: expected {tag}={wanted}, because one run is of one .*got .*{got}"
    with pytest.raises(StoreError, match=told):
        resume(record, same=same)
    assert read(record).info.status == "KILLED"


def test_a_run_at_work_in_another_process_is_not_resumed(store: Store) -> None:
    record = start(store)
    program = (
        "import sys; from pathlib import Path; from seedbed.track.record import Record;"
        "from seedbed.track.store import Store;"
        "Record.resume(Store.open(Path(sys.argv[1])), sys.argv[2], params={}, same={})"
    )
    command = [sys.executable, "-c", program, str(store.root), record.run_id]
    refused = subprocess.run(command, check=False, capture_output=True, text=True)
    assert refused.returncode == 1
    assert "expected a run that no process is at work on, got one that another process" in refused.stderr
    record.finish("KILLED")
    assert subprocess.run(command, check=False).returncode == 0


def test_a_run_that_is_not_there_gets_no_folder(store: Store) -> None:
    with pytest.raises(StoreError, match=r"^run abc: .*Look the id up with `seedbed ui`"):
        Record.resume(store, "abc", params={}, same={})
    assert not (store.root / "runs" / "abc").exists()


def test_an_artifact_counts_as_there_only_with_its_content(store: Store) -> None:
    record = start(store)
    record.log_text("", "deep/empty.txt")
    record.log_text("x", "deep/full.txt")
    assert (record.has("deep/empty.txt"), record.has("deep/full.txt"), record.has("deep")) == (
        False,
        True,
        False,
    )
