"""What was recorded without a network is on the server afterwards, once, however often it is synced."""

import math
from pathlib import Path
from typing import Any

import pytest

from seedbed.errors import AwayError
from seedbed.track.kept import kept
from seedbed.track.record import Record
from seedbed.track.store import Store
from seedbed.track.transfer import FROM, transfer
from tests.track.test_away import Gate
from tests.track.test_registered import fitted


@pytest.fixture
def offline(root: Path) -> Store:
    return Store.open(root, offline=True)


@pytest.fixture
def target(migrated: Path, tmp_path: Path) -> Store:
    folder = tmp_path / "target"
    folder.mkdir()
    (folder / "mlflow.db").write_bytes(migrated.read_bytes())
    return Store.open(folder)


def start(store: Store, name: str, **changes: Any) -> Record:
    given: dict[str, Any] = {"experiment": "e", "params": {"lr": 0.1}, "tags": {"a": "1"}}
    return Record.start(store, name=name, **{**given, **changes})


def study(store: Store, folder: Path) -> tuple[Record, Record]:
    """A study and its one run, both with something of every kind."""
    parent = start(store, "study")
    run = start(store, "run", parent_run_id=parent.run_id)
    for step, value in enumerate([0.5, math.nan, math.inf, 0.1 + 2**-56]):
        run.log_metrics({"loss": value}, step)
    run.log_text("text", "deep/text.txt")
    run.log_dataset(name="d", source="f", split="val", digest="ab", profile={"num_examples": 2})
    run.log_model(fitted(folder / "predictor", "table"))
    run.finish("FINISHED")
    parent.set_note(f"[compare](#/compare-runs?runs=[{run.run_id}])")
    parent.finish("FINISHED")
    return parent, run


def test_an_offline_store_is_in_its_folder_whatever_the_environment_says(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    assert Store.open(root, offline=True).uri == f"sqlite:///{root / 'mlflow.db'}"


def test_a_study_is_there_with_all_it_has_and_a_second_transfer_changes_nothing(
    offline: Store, target: Store, tmp_path: Path
) -> None:
    parent, run = study(offline, tmp_path)
    start(Store.open(offline.root), "of the network").finish("FINISHED")
    first = list(transfer(offline, target))
    assert [(one.name, one.old, one.known) for one in first] == [
        ("study", parent.run_id, False),
        ("run", run.run_id, False),
    ]
    ids = {one.old: one.new for one in first}
    assert [one.known for one in transfer(offline, target)] == [True, True]
    for record in (parent, run):
        assert same(offline, record.run_id, target, ids)
    new = target.client.get_run(ids[run.run_id])
    assert new.data.tags["mlflow.parentRunId"] == ids[parent.run_id]
    note = target.client.get_run(ids[parent.run_id]).data.tags["mlflow.note.content"]
    assert ids[run.run_id] in note


def history(store: Store, run_id: str, name: str) -> list[tuple[int, int, str]]:
    points = store.client.get_metric_history(run_id, name)
    return [(point.step, point.timestamp, repr(point.value)) for point in points]


def same(source: Store, run_id: str, target: Store, ids: dict[str, str]) -> bool:
    """Compares a run with its copy."""
    old, new = source.client.get_run(run_id), target.client.get_run(ids[run_id])
    for name in ("status", "start_time", "end_time", "run_name"):
        assert getattr(old.info, name) == getattr(new.info, name), name
    assert old.data.params == new.data.params
    moved = ("mlflow.parentRunId", "mlflow.note.content", FROM)
    tags, copied = ({k: v for k, v in run.data.tags.items() if k not in moved} for run in (old, new))
    assert tags == copied
    for name in old.data.metrics:
        histories = [
            s.client.get_metric_history(i, name) for s, i in ((source, run_id), (target, ids[run_id]))
        ]
        points, copies = ([(p.step, p.timestamp, repr(p.value)) for p in history] for history in histories)
        assert points == copies
    with kept(source, run_id) as files, kept(target, ids[run_id]) as copied_files:
        contents = {path: file.read_bytes() for path, file in files.items()}
        assert contents == {path: file.read_bytes() for path, file in copied_files.items()}
    assert len(old.inputs.dataset_inputs) == len(new.inputs.dataset_inputs)
    return True


def test_a_run_that_went_on_is_completed(offline: Store, target: Store) -> None:
    record = start(offline, "run")
    record.log_metrics({"loss": 1.0}, 1)
    record.fail(ValueError("no"))
    (first,) = transfer(offline, target)
    again = Record.resume(offline, record.run_id, params={}, same={})
    again.log_metrics({"loss": 2.0}, 2)
    again.finish("FINISHED")
    (second,) = transfer(offline, target)
    assert (second.new, second.known) == (first.new, False)
    run = target.client.get_run(first.new)
    assert "seedbed.error" not in run.data.tags
    assert same(offline, record.run_id, target, {record.run_id: first.new})


def test_a_transfer_that_was_cut_off_goes_on(offline: Store, target: Store, tmp_path: Path) -> None:
    study(offline, tmp_path)
    number = 0
    while True:
        gate = Gate(Store.open(target.root).client)
        target.client = gate
        number += 1
        gate.allowed = number
        try:
            done = list(transfer(offline, target))
        except AwayError:
            continue
        break
    assert number > 10
    target.client = gate.client
    assert len(target.client.search_runs([target.experiment("e")])) == 2
    ids = {one.old: one.new for one in done}
    assert all(same(offline, old, target, ids) for old in ids)
