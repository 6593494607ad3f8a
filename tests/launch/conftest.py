"""A cluster for the session, and the command as a user types it there."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from tests.launch import cluster as slurm

LIMIT_SECONDS = 600
QUICK = (
    "launch.memory_gib=1",
    "launch.cpus_per_task=1",
    "trainer.num_threads=1",
    "track.system_metrics=false",
    "track.log_model=false",
    "track.pictures=false",
)


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[slurm.Cluster]:
    missing = slurm.missing()
    if missing:
        pytest.skip(
            f"no {', '.join(missing)} here (Debian: apt-get install slurmctld slurmd slurm-client munge)"
        )
    place = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    with slurm.running(tmp_path_factory.mktemp("slurm"), place) as found:
        yield found


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all tests, so that the code is copied once; each test has its own MLflow experiment."""
    return tmp_path_factory.mktemp("store")


class Desk(NamedTuple):
    """Where a test types its commands.

    Args:
        cluster: the session's.
        store: folder of the record store.
        folder: working directory.
        experiment: the test's own.
    """

    cluster: slurm.Cluster
    store: Path
    folder: Path
    experiment: str

    def start(
        self, *arguments: str, launch: str = "slurm", variables: Mapping[str, str] | None = None
    ) -> subprocess.Popen[str]:
        """`seedbed train` with these arguments, at work."""
        own = (f"track.root={self.store}", f"track.experiment={self.experiment}", f"launch={launch}")
        quick = QUICK if launch == "slurm" else QUICK[2:]
        several, given = arguments[: arguments[:1] == ("-m",)], arguments[arguments[:1] == ("-m",) :]
        return self.typed("train", *several, *own, *quick, *given, variables=variables)

    def typed(self, *words: str, variables: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """A command of the program's."""
        return subprocess.Popen(
            [sys.executable, "-m", "seedbed", *words],
            cwd=self.folder,
            env=os.environ | {"SLURM_CONF": str(self.cluster.conf), **(variables or {})},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def train(self, *arguments: str, launch: str = "slurm", code: int = 0) -> str:
        """What `seedbed train` prints until it ends."""
        return said(self.start(*arguments, launch=launch), code)

    def say(self, *words: str, code: int = 0) -> str:
        """What a command prints until it ends."""
        return said(self.typed(*words, "--root", str(self.store)), code)

    def runs(self) -> list[Run]:
        """Of this test, oldest first; a study's parent comes before its children."""
        if not (self.store / "mlflow.db").exists():  # MLflow would make one, in the way of the program's
            return []
        client = MlflowClient(f"sqlite:///{self.store}/mlflow.db")
        found = client.get_experiment_by_name(self.experiment)
        if found is None:
            return []
        return list(client.search_runs([found.experiment_id], order_by=["attributes.start_time ASC"]))

    def artifact(self, run: Run, path: str) -> str:
        client = MlflowClient(f"sqlite:///{self.store}/mlflow.db")
        return Path(client.download_artifacts(run.info.run_id, path)).read_text()


@pytest.fixture
def desk(
    cluster: slurm.Cluster, store: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Desk]:
    yield Desk(cluster, store, tmp_path, re.sub(r"\W", "_", request.node.name))
    cluster.ask("scancel", "--signal=KILL", f"--user={os.getuid()}", "--state=RUNNING")
    cluster.ask("scancel", f"--user={os.getuid()}")
    until(lambda: not cluster.ask("squeue", "--noheader"))


def said(process: subprocess.Popen[str], code: int = 0) -> str:
    """What a command has printed, once it ended with this code."""
    try:
        out, _ = process.communicate(timeout=LIMIT_SECONDS)
    finally:
        process.kill()
    assert process.returncode == code, out
    return out


def until(holds: Callable[[], object], process: subprocess.Popen[str] | None = None) -> None:
    """Waits for it, as long as the process lives that is to bring it about."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it never came"
        assert process is None or process.poll() is None, said(process) if process else ""
        time.sleep(0.05)
