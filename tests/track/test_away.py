"""A store that is away costs a run nothing but time, and everything arrives once it is back."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from mlflow.exceptions import MlflowException, RestException

from seedbed.errors import AwayError, StoreError
from seedbed.track.away import is_away
from seedbed.track.leftover import deliver_left, take_along
from seedbed.track.record import Record
from seedbed.track.store import Store
from tests.track.delivered import differences

GONE = MlflowException("API request to http://host failed with exception refused")


def start(store: Store, **changes: Any) -> Record:
    given: dict[str, Any] = {"experiment": "e", "name": "run", "params": {"lr": 0.1}, "tags": {"a": "1"}}
    return Record.start(store, **{**given, **changes})


class Gate:
    """MLflow's client, which can be sent away, and counts what it is asked."""

    def __init__(self, client: Any) -> None:
        self.client, self.asked = client, 0
        self.error: Exception | None = None
        self.allowed: int | None = None  # requests before it goes away; None: any number

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.client, name)

        def call(*arguments: Any, **keywords: Any) -> Any:
            self.asked += 1
            if self.error is not None:
                raise self.error
            if self.allowed is not None and self.asked > self.allowed:
                raise GONE
            return found(*arguments, **keywords)

        return call


@pytest.fixture
def gate(store: Store) -> Gate:
    gate = Gate(store.client)
    store.client = gate
    return gate


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)


def everything(record: Record, folder: Path) -> None:
    """Says something of every kind."""
    record.set_tags({"a": "2", "b": "3"})
    record.log_metrics({"loss": 0.5, "odd": float("nan")}, step=1)
    record.log_text("text", "deep/text.txt")
    (record.folder / "state.bin").write_bytes(b"\0\1")
    record.log_file(record.folder / "state.bin", "files")
    (folder / "one" / "two").mkdir(parents=True)
    (folder / "one" / "two" / "x").write_text("x")
    record.log_folder(folder / "one", "copy")
    for split in ("train", "val"):
        record.log_dataset(name="d", source="f", split=split, digest="ab", profile={"num_examples": 2})
    record.set_note("note")


def test_what_was_said_while_the_store_was_away_is_there_afterwards(
    store: Store, gate: Gate, tmp_path: Path
) -> None:
    record = start(store)
    gate.error = GONE
    everything(record, tmp_path)
    (record.folder / "state.bin").unlink()
    record.finish("FINISHED")
    assert record.waits
    gate.error = None
    (left,) = deliver_left(store)
    assert (left.num_waiting, left.why) == (0, "")
    assert differences(store, record.folder) == []
    assert not (record.folder / "outbox").exists()
    assert list(deliver_left(store, everywhere=True)) == []


def test_a_file_that_waits_is_the_one_that_was_kept(store: Store, gate: Gate) -> None:
    record = start(store)
    gate.error = GONE
    path = record.folder / "last.ckpt"
    for content in (b"first", b"second"):
        path.with_suffix(".partial").write_bytes(content)
        path.with_suffix(".partial").replace(path)
        record.log_file(path, content.decode())
    path.unlink()
    gate.error = None
    record.finish("FINISHED")
    assert differences(store, record.folder) == []


def test_a_run_of_a_study_begins_without_the_store_and_is_then_found_under_its_id(
    store: Store, gate: Gate, tmp_path: Path
) -> None:
    parent = start(store, name="study")
    gate.error = GONE
    with pytest.raises(AwayError, match=r"'e': expected a store that takes it, got API .* See to the store"):
        start(store)
    record = start(store, parent_run_id=parent.run_id, may_wait=True)
    local = record.run_id
    assert local == record.folder.name
    everything(record, tmp_path)
    assert record.tags()["a"] == "2"
    assert record.has("deep/text.txt")
    gate.error = None
    record.finish("FINISHED")
    assert record.run_id != local
    link = store.root / "runs" / record.run_id
    assert link.resolve() == record.folder
    run = store.client.get_run(record.run_id)
    assert run.data.tags["mlflow.parentRunId"] == parent.run_id
    assert differences(store, link) == []


def test_a_run_that_was_made_and_not_noted_is_not_made_again(
    store: Store, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate.error = GONE
    record = start(store, may_wait=True)
    gate.error = None
    write = record._journal.write

    def crash(kind: str, *rest: Any) -> None:
        if kind == "created":
            raise KeyboardInterrupt
        write(kind, *rest)

    with monkeypatch.context() as patched:
        patched.setattr(record._journal, "write", crash)
        record._delivery._not_before = 0.0
        with pytest.raises(KeyboardInterrupt):
            record.deliver()
    again = Record(store, record.folder.name)
    again.finish("FINISHED")
    experiment = store.client.get_experiment_by_name("e").experiment_id
    (run,) = store.client.search_runs([experiment])
    assert run.info.run_id == again.run_id
    assert differences(store, again.folder) == []


def test_a_run_goes_on_from_its_folder_while_the_store_is_away(store: Store, gate: Gate) -> None:
    record = start(store)
    record.log_metrics({"loss": 1.0}, 1)
    record.finish("KILLED")
    gate.error = GONE
    with pytest.raises(StoreError, match=r"expected a=2, because one run is of one configuration"):
        Record.resume(store, record.run_id, params={}, same={"a": "2"})
    again = Record.resume(store, record.run_id, params={"lr": 0.1, "seed": 3}, same={"a": "1"})
    again.log_metrics({"loss": 9.0}, 1)
    again.log_metrics({"loss": 2.0}, 2)
    gate.error = None
    again.finish("FINISHED")
    run = store.client.get_run(record.run_id)
    assert (run.info.status, run.data.params) == ("FINISHED", {"lr": "0.1", "seed": "3"})
    assert differences(store, record.folder) == []


def test_a_run_whose_folder_is_elsewhere_does_not_go_on_without_the_store(store: Store, gate: Gate) -> None:
    gate.error = GONE
    with pytest.raises(AwayError, match=r"^run abc: "):
        Record.resume(store, "abc", params={}, same={})
    assert not (store.root / "runs" / "abc").exists()


def test_it_is_told_once_that_the_store_went_away_and_once_that_it_is_back(
    store: Store, gate: Gate, capsys: pytest.CaptureFixture[str]
) -> None:
    record = start(store)
    gate.error = GONE
    for step in range(5):
        record.log_metrics({"loss": 1.0}, step)
        record._delivery._not_before = 0.0
        record.deliver()
    record.finish("FINISHED")
    gone, over = capsys.readouterr().err.splitlines()
    assert "is away (API request to http://host failed" in gone
    assert over == (
        f"6 lines of the record wait in {record.folder}: `seedbed sync`, or the next command, "
        "takes them to the store."
    )
    gate.error = None
    assert take_along(store, print)
    assert capsys.readouterr().out == "6 lines of 1 earlier run waited here; the record store has them now.\n"


def test_between_attempts_there_is_a_pause_that_grows(
    store: Store, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = start(store)
    gate.error, gate.asked = GONE, 0
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now)
    attempts = []
    for second in range(400):
        now = now + 1
        record.log_metrics({"loss": 1.0}, second)
        before = gate.asked
        record.deliver()
        attempts += [second] if gate.asked > before else []
    pauses = [after - before for before, after in pairwise(attempts)]
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (1, 60)


def test_a_slow_store_takes_no_more_than_a_fifth_of_the_time(
    store: Store, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = start(store)
    now, spent = time.monotonic(), 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    log_batch = store.client.log_batch

    def slow(*arguments: Any, **keywords: Any) -> None:
        nonlocal now, spent
        now, spent = now + 4.0, spent + 4.0
        log_batch(*arguments, **keywords)

    monkeypatch.setattr(gate, "log_batch", slow, raising=False)
    began = now
    for step in range(300):
        now = now + 1
        record.log_metrics({"loss": 1.0}, step)
        record.deliver()
    assert spent <= 0.21 * (now - began)
    record.finish("FINISHED")
    assert differences(store, record.folder) == []


def test_what_the_store_refuses_is_told_and_does_not_hold_up_the_rest(store: Store) -> None:
    record = start(store, params={"lr": 1})
    record._journal.write("tags", {"before": "1"})
    record._journal.write("params", {"lr": "2"})
    record._journal.write("tags", {"after": "1"})
    with pytest.raises(StoreError, match=r"params: .*Changing param values is not allowed"):
        record.deliver()
    record.finish("FAILED")
    run = store.client.get_run(record.run_id)
    assert (run.data.tags["before"], run.data.tags["after"], run.info.status) == ("1", "1", "FAILED")
    assert [line for line in differences(store, record.folder) if line.startswith("refused")]


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """The database as another writer that does not end leaves it."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield
        connection.execute("ROLLBACK")


def test_a_locked_database_is_away_and_nothing_is_printed_of_it(
    store: Store, root: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from sqlalchemy import Engine, event

    record = start(store)
    event.listen(Engine, "before_cursor_execute", _shortened, retval=True)
    try:
        with locked(root / "mlflow.db"):
            record.set_tags({"b": "1"})
            assert record.waits
    finally:
        event.remove(Engine, "before_cursor_execute", _shortened)
    record.finish("FINISHED")
    assert differences(store, record.folder) == []
    assert "Traceback" not in capfd.readouterr().err


def _shortened(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> tuple[str, Any]:
    """MLflow waits 20 seconds for a lock."""
    return statement.replace("busy_timeout = 20000", "busy_timeout = 1"), parameters


def _rest(code: str, message: str = "no") -> RestException:
    make: Any = RestException
    error: RestException = make({"error_code": code, "message": message})
    return error


@pytest.mark.parametrize(
    ("error", "away"),
    [
        (GONE, True),
        (ConnectionResetError("reset"), True),
        (TimeoutError("slow"), True),
        (_rest("TEMPORARILY_UNAVAILABLE"), True),
        (_rest("INTERNAL_ERROR"), True),
        (_rest("TEMPORARILY_UNAVAILABLE", "(sqlite3.OperationalError) database or disk is full"), True),
        (_rest("PERMISSION_DENIED"), True),
        (_rest("UNAUTHENTICATED"), True),
        (_rest("REQUEST_LIMIT_EXCEEDED"), True),
        (_rest("BAD_REQUEST", "(psycopg2.InterfaceError) connection already closed"), True),
        (_rest("BAD_REQUEST"), False),
        (_rest("INVALID_PARAMETER_VALUE"), False),
        (_rest("RESOURCE_DOES_NOT_EXIST"), False),
        (MlflowException("a bug"), False),
        (MlflowException("(sqlite3.OperationalError) database is locked", 2), True),
        (FileExistsError(17, "exists"), False),
        (OSError(28, "No space left on device"), False),
    ],
)
def test_what_is_away_and_what_is_a_refusal(error: Exception, away: bool) -> None:
    assert is_away(error) == away
