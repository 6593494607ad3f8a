"""Who trains against the team's server: a whole record goes there, and no secret into it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from tests.served import free_port
from tests.server.postgres import PASSWORD, Postgres
from tests.server.serving import ADMIN_PASSWORD, Served, clean, serving

pytestmark = pytest.mark.server
ONE_RUN = (
    "model=softmax",
    "data=digits",
    "trainer.max_epochs=2",
    "track.system_metrics=true",
    "track.pictures=false",
)
# Seconds for a run of two epochs on a machine that does other things.
LIMIT = 120


def seedbed(folder: Path, url: str, password: str, *words: str) -> subprocess.CompletedProcess[str]:
    """What a member of the team types."""
    names = {"MLFLOW_TRACKING_URI": url, "MLFLOW_TRACKING_USERNAME": "admin"}
    return subprocess.run(
        [sys.executable, "-m", "seedbed", *words],
        cwd=folder,
        env=clean(**names, MLFLOW_TRACKING_PASSWORD=password, PYTHONPATH=os.environ.get("PYTHONPATH", "")),
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the server and the member each keep what they keep."""
    return tmp_path_factory.mktemp("team")


@pytest.fixture(scope="module")
def server(postgres: Postgres, folder: Path) -> Iterator[Served]:
    names = {"SEEDBED_DATABASE": postgres.new("team"), "SEEDBED_ADMIN_PASSWORD": ADMIN_PASSWORD}
    with serving(folder, free_port(), names) as served:
        yield served


@pytest.fixture(scope="module")
def trained(server: Served, folder: Path) -> subprocess.CompletedProcess[str]:
    """One run, recorded there."""
    done = seedbed(folder, server.url, ADMIN_PASSWORD, "train", *ONE_RUN)
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture
def client(
    server: Served, trained: subprocess.CompletedProcess[str], monkeypatch: pytest.MonkeyPatch
) -> MlflowClient:
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "admin")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", ADMIN_PASSWORD)
    return MlflowClient(server.url, registry_uri=server.url)


def the_run(client: MlflowClient) -> Any:
    (run,) = client.search_runs([found.experiment_id for found in client.search_experiments()])
    return run


def test_a_run_is_there_whole(client: MlflowClient, tmp_path: Path) -> None:
    run = the_run(client)
    assert run.info.status == "FINISHED"
    assert run.info.artifact_uri.startswith("mlflow-artifacts:/")  # through the server: no path of its disk
    losses = client.get_metric_history(run.info.run_id, "val/loss")
    assert [point.step for point in losses] == sorted({point.step for point in losses})
    assert len(losses) == 2
    assert any(name.startswith("system/") for name in run.data.metrics)
    config = client.download_artifacts(run.info.run_id, "config.yaml", str(tmp_path))
    assert "max_epochs: 2" in Path(config).read_text()


def test_no_secret_is_on_disk_in_the_database_or_on_a_terminal(
    trained: subprocess.CompletedProcess[str], server: Served, postgres: Postgres, folder: Path
) -> None:
    """The database's dump has all tags, params and notes; the folder all artifacts, journals and logs."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert any(path.is_relative_to(folder / "mlartifacts") for path in files)
    assert any(path.name == "journal.jsonl" for path in files)
    texts = {str(path): path.read_bytes() for path in files}
    texts |= {"the database": postgres.dump("team").encode(), "the terminal": trained.stdout.encode()}
    texts["its errors"] = trained.stderr.encode()
    secrets = [secret.encode() for secret in (ADMIN_PASSWORD, PASSWORD, "p%40ss")]
    assert not [name for name, text in texts.items() for secret in secrets if secret in text]


@pytest.mark.parametrize("password", ["", "another password"])
def test_who_is_not_let_in_is_told_what_to_set(server: Served, folder: Path, password: str) -> None:
    done = seedbed(folder, server.url, password, "train", *ONE_RUN)
    assert done.returncode == 2
    assert f"tracking server {server.url}: expected a server that lets you in, got 401" in done.stderr
    assert "Set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD" in done.stderr
    assert done.stderr.count("\n") == 1
