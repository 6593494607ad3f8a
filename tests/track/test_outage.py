"""A tracking server that dies in the middle of a run, and of a study."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from seedbed.errors import StoreError
from seedbed.track.record import Record
from seedbed.track.store import Store
from tests.served import Served, served
from tests.track.delivered import differences

pytestmark = pytest.mark.server
QUICK = (
    "track.pictures=false",
    "trainer.num_threads=1",
    "track.system_metrics=false",
    "track.log_model=true",
    "model=softmax",
)
LIMIT_SECONDS = 180


@pytest.fixture
def server(migrated: Path, tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path / "served", migrated) as process:
        process.start()
        yield process


def seedbed(folder: Path, server: Served, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "seedbed", *arguments],
        cwd=folder,
        env={**os.environ, "MLFLOW_TRACKING_URI": server.address},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def ended(process: "subprocess.Popen[str]") -> tuple[int, str]:
    out, _ = process.communicate(timeout=LIMIT_SECONDS)
    return process.returncode, out


def run_folder(folder: Path) -> Path:
    """The one run's, once it has begun to learn."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while time.monotonic() < deadline:
        for path in (folder / "mlruns" / "runs").glob("*/last.ckpt"):
            return path.parent
        time.sleep(0.1)
    raise AssertionError("no run has begun")


def test_a_server_that_dies_in_a_run_and_stays_away_loses_nothing(server: Served, tmp_path: Path) -> None:
    train = seedbed(tmp_path, server, "train", *QUICK, "trainer.max_epochs=150", "track.patience_seconds=2")
    folder = run_folder(tmp_path)
    server.kill()
    code, out = ended(train)
    assert code == 0, out
    assert "is away" in out
    assert f"wait in {folder}: `seedbed sync`, or the next command" in out
    code, out = ended(seedbed(tmp_path, server, "sync"))
    assert (code, "Start the server" in out) == (2, True), out
    server.start()
    code, out = ended(seedbed(tmp_path, server, "sync"))
    assert (code, out.splitlines()[-1]) == (0, "Nothing waits."), out
    store = Store.open(tmp_path / "mlruns", server.address)
    assert store.client.get_run(folder.name).info.status == "FINISHED"
    assert differences(store, folder) == []
    assert {path.name for path in folder.iterdir()} == {"journal.jsonl", "delivered", "job.json"}


def test_a_server_that_comes_back_in_time_has_all_of_the_run_when_it_ends(
    server: Served, tmp_path: Path
) -> None:
    train = seedbed(tmp_path, server, "train", *QUICK, "trainer.max_epochs=150")
    folder = run_folder(tmp_path)
    server.kill()
    server.start()
    code, out = ended(train)
    assert code == 0, out
    store = Store.open(tmp_path / "mlruns", server.address)
    assert differences(store, folder) == []


def test_a_study_whose_server_dies_ends_with_every_run_whole(server: Served, tmp_path: Path) -> None:
    study = seedbed(tmp_path, server, "train", "-m", *QUICK, "study.num_seeds=3", "trainer.max_epochs=20")
    run_folder(tmp_path)
    for _ in range(2):
        server.kill()
        time.sleep(2)
        server.start()
    code, out = ended(study)
    assert code == 0, out
    store = Store.open(tmp_path / "mlruns", server.address)
    experiment = store.client.get_experiment_by_name("seedbed").experiment_id
    runs = store.client.search_runs([experiment])
    assert [run.info.status for run in runs] == ["FINISHED"] * 4
    for run in runs:
        assert differences(store, tmp_path / "mlruns" / "runs" / run.info.run_id) == []


def test_a_request_that_is_never_answered_holds_nobody_up(server: Served, tmp_path: Path) -> None:
    """The server's process is stopped, so that it takes connections and says nothing."""
    store = Store.open(tmp_path / "mlruns", server.address)
    record = Record.start(store, experiment="e", name="n", params={}, tags={})
    server.pause()
    began = time.monotonic()
    for step in range(50):
        record.log_metrics({"loss": 1.0}, step)
        record.set_tags({"step": str(step)})
    assert time.monotonic() - began < 15
    server.go_on()
    record.finish("FINISHED")
    assert differences(store, record.folder) == []


def test_a_single_run_does_not_begin_without_its_server(server: Served, tmp_path: Path) -> None:
    server.kill()
    with pytest.raises(StoreError, match=r"tracking server .* or record here: track.offline=true"):
        Store.open(tmp_path / "mlruns", server.address)


def test_what_was_recorded_without_a_network_is_synced_to_the_server(server: Served, tmp_path: Path) -> None:
    offline = Store.open(tmp_path / "mlruns", offline=True)
    record = Record.start(offline, experiment="e", name="n", params={"lr": 1}, tags={})
    record.log_metrics({"loss": 0.5}, 1)
    record.log_text("text", "deep/text.txt")
    record.finish("FINISHED")
    for told in (f"n ({record.run_id[:8]}): FINISHED, is there as ", "Nothing waits."):
        code, out = ended(seedbed(tmp_path, server, "sync"))
        assert code == 0, out
        assert out.startswith(told)
    store = Store.open(tmp_path / "mlruns", server.address)
    (run,) = store.client.search_runs([store.client.get_experiment_by_name("e").experiment_id])
    assert (run.info.status, run.data.metrics, run.data.params) == ("FINISHED", {"loss": 0.5}, {"lr": "1"})
    assert Path(store.client.download_artifacts(run.info.run_id, "deep/text.txt")).read_text() == "text"
