"""A store is made once however many ask for it, and one that cannot work is named at once."""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

import pytest

from seedbed.errors import StoreError
from seedbed.track.leftover import deliver_left
from seedbed.track.store import Store
from tests.conftest import PUBLIC
from tests.track import writers
from tests.track.delivered import differences

CHECKOUT = Path(__file__).parents[2]
NOBODY = 65534


def rewrite(database: Path, *statements: str) -> None:
    with closing(sqlite3.connect(database)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


@pytest.mark.parametrize("num_processes", [8, pytest.param(24, marks=pytest.mark.slow)])
def test_many_processes_on_a_missing_database_lose_nothing(tmp_path: Path, num_processes: int) -> None:
    command = [sys.executable, "-m", "tests.track.writers", str(tmp_path), str(num_processes)]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    store = Store.open(tmp_path)
    assert [left for left in deliver_left(store) if left.num_waiting] == []
    client = store.client
    experiment = client.get_experiment_by_name("crowd")
    assert experiment is not None
    assert len(client.search_experiments()) == 2  # MLflow's own default and this one
    runs = {run.info.run_name: run for run in client.search_runs([experiment.experiment_id])}
    assert set(runs) == {f"writer {number}" for number in range(num_processes)}
    for number in range(num_processes):
        run = runs[f"writer {number}"]
        assert run.info.status == "FINISHED"
        assert run.data.params == {f"p{index}": f"{number}.{index}" for index in range(writers.NUM_PARAMS)}
        history = client.get_metric_history(run.info.run_id, "loss")
        expected = [(step, number + step / writers.NUM_STEPS) for step in range(writers.NUM_STEPS)]
        assert [(point.step, point.value) for point in history] == expected
        assert [file.path for file in client.list_artifacts(run.info.run_id)] == ["number.txt"]
        assert differences(store, tmp_path / "runs" / run.info.run_id) == []


def test_a_creation_that_was_killed_leaves_nothing_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db.partial").write_text("half a database")
    (tmp_path / "mlflow.db.partial-journal").write_text("its rollback journal")
    (tmp_path / "mlflow.db").touch()
    Store.open(tmp_path).experiment("any")
    assert not list(tmp_path.glob("*.partial*"))


def test_a_relative_folder_becomes_absolute(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root.parent)
    store = Store.open(Path(root.name))
    assert store.root == root
    assert store.uri == f"sqlite:///{root / 'mlflow.db'}"


@pytest.mark.parametrize("name", ["with space", "a#b", "größe", "a'b"])
def test_a_folder_may_have_an_odd_name(migrated: Path, tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    shutil.copyfile(migrated, folder / "mlflow.db")
    store = Store.open(folder)
    location = store.client.get_experiment(store.experiment("x")).artifact_location
    assert location == (folder / "artifacts" / "x").as_uri()


@pytest.mark.parametrize("name", ["what?", "100%"])
def test_a_name_that_an_address_cannot_hold_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(StoreError, match=r"expected a path without \? and %.*Set track.root to another"):
        Store.open(tmp_path / name)


def test_the_environment_names_another_store(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{root / 'mlflow.db'}")
    store = Store.open(tmp_path / "work")
    assert store.uri == f"sqlite:///{root / 'mlflow.db'}"
    location = store.client.get_experiment(store.experiment("x")).artifact_location
    assert location == (tmp_path / "work" / "artifacts" / "x").as_uri()


def test_an_experiment_is_made_once(store: Store) -> None:
    assert store.experiment("mnist softmax") == store.experiment("mnist softmax")
    location = store.client.get_experiment_by_name("mnist softmax").artifact_location
    assert location == (store.root / "artifacts" / "mnist_softmax").as_uri()


def test_an_experiment_that_another_process_made_meanwhile_is_found(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = store.experiment("x")
    looks = iter([None])
    look = store.client.get_experiment_by_name
    monkeypatch.setattr(store.client, "get_experiment_by_name", lambda name: next(looks, look(name)))
    assert store.experiment("x") == there


def test_a_deleted_experiment_is_told_with_the_way_out(store: Store) -> None:
    number = store.experiment("old")
    store.client.delete_experiment(number)
    with pytest.raises(
        StoreError,
        match=rf"experiment=old: .* deleted\. Run `mlflow experiments restore --experiment-id {number}`",
    ):
        store.experiment("old")


def test_an_experiment_of_a_store_that_was_moved_is_told(root: Path, tmp_path: Path) -> None:
    Store.open(root).experiment("x")
    moved = tmp_path / "moved"
    root.rename(moved)
    with pytest.raises(StoreError, match=r"artifacts in .*moved/artifacts, got .*which is gone"):
        Store.open(moved).experiment("x")


@pytest.mark.parametrize("place", ["store", "store/artifacts", "store/runs", "store/mlflow.db/deeper"])
def test_a_file_in_the_place_of_a_folder_is_named(tmp_path: Path, place: str) -> None:
    path = tmp_path / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    with pytest.raises(StoreError, match=r"expected (a folder to write in|one that the installed MLflow)"):
        Store.open(tmp_path / "store")


@contextmanager
def as_an_ordinary_user() -> Iterator[None]:
    """Root may write everywhere, so root steps down; anyone else is ordinary already."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(user)


@pytest.fixture
def public(migrated: Path) -> Iterator[Path]:
    """A store below folders that every user may enter."""
    with TemporaryDirectory(dir=PUBLIC) as name:
        Path(name).chmod(0o755)
        folder = Path(name) / "store"
        folder.mkdir()
        shutil.copyfile(migrated, folder / "mlflow.db")
        Store.open(folder)
        yield folder


def test_a_folder_without_permission_is_named(public: Path) -> None:
    public.chmod(0o555)
    with (
        as_an_ordinary_user(),
        pytest.raises(StoreError, match=r"record folder .*store: .*got Permission denied\. Set track.root"),
    ):
        Store.open(public)


def test_a_database_without_permission_is_named(public: Path) -> None:
    (public / "mlflow.db").chmod(0o444)
    for folder in (public, public / "artifacts", public / "runs"):
        folder.chmod(0o777)
    with (
        as_an_ordinary_user(),
        pytest.raises(StoreError, match=r"mlflow.db: .*got attempt to write a readonly database"),
    ):
        Store.open(public)


def test_a_foreign_database_is_left_alone(tmp_path: Path) -> None:
    rewrite(tmp_path / "mlflow.db", "CREATE TABLE recipes (name TEXT)")
    before = (tmp_path / "mlflow.db").read_bytes()
    with pytest.raises(StoreError, match=r"mlflow.db: .*got another program's database.*Move the file away"):
        Store.open(tmp_path)
    assert (tmp_path / "mlflow.db").read_bytes() == before


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_text("notes\n" * 1000)
    with pytest.raises(StoreError, match=r"mlflow.db: .*got file is not a database"):
        Store.open(tmp_path)


def test_a_folder_in_the_place_of_the_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").mkdir()
    with pytest.raises(StoreError, match=r"mlflow.db: .*got a folder"):
        Store.open(tmp_path)


@pytest.mark.parametrize(
    ("change", "got"),
    [
        (
            "UPDATE alembic_version SET version_num = 'fffffffffff0'",
            "a newer MLflow made .schema fffffffffff0",
        ),
        (
            "UPDATE alembic_version SET version_num = '0584bdc529eb'",
            "left half-migrated .schema 0584bdc529eb",
        ),
        (
            "DELETE FROM alembic_version",
            "left half-migrated .schema none.*Copy the file, then run `mlflow db upgrade",
        ),
        ("DROP TABLE alembic_version", "one that was never finished"),
    ],
)
def test_another_version_of_the_database_is_left_alone(root: Path, change: str, got: str) -> None:
    rewrite(root / "mlflow.db", change)
    before = (root / "mlflow.db").read_bytes()
    with pytest.raises(StoreError, match=got):
        Store.open(root)
    assert (root / "mlflow.db").read_bytes() == before


@pytest.mark.parametrize(
    "uri",
    ["mlruns", "file:///tmp/mlruns", "postgresql://me:secret@host/db", "sqlite://", "sqlite:///:memory:"],
)
def test_an_address_that_is_no_store_is_refused_without_its_password(tmp_path: Path, uri: str) -> None:
    with pytest.raises(
        StoreError, match=r"expected sqlite:///FILE, http://SERVER or https://SERVER"
    ) as caught:
        Store.open(tmp_path, uri)
    assert "secret" not in str(caught.value)


def test_a_server_that_is_not_there_is_told_at_once_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"tracking server http://127.0.0.1:9.*Start the server") as caught:
        Store.open(tmp_path, "http://me:secret@127.0.0.1:9")
    assert "secret" not in str(caught.value)


@pytest.fixture
def refusing() -> Iterator[str]:
    """A server that refuses the name it is called by, as MLflow does."""

    class Refuse(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(403, "Forbidden")

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Refuse) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_server_that_refuses_its_name_is_told_with_the_way_out(tmp_path: Path, refusing: str) -> None:
    with pytest.raises(StoreError, match=r"got 403 .*--allowed-hosts 127.0.0.1"):
        Store.open(tmp_path, refusing)


def test_opening_a_store_leaves_mlflows_global_state_alone(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mlflow

    monkeypatch.chdir(root.parent)
    before = mlflow.get_tracking_uri(), mlflow.get_registry_uri()
    Store.open(root).experiment("x")
    assert (mlflow.get_tracking_uri(), mlflow.get_registry_uri()) == before
    assert mlflow.active_run() is None


def test_the_modules_load_without_mlflow() -> None:
    code = "import sys, seedbed.track.record, seedbed.track.store; sys.exit('mlflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
