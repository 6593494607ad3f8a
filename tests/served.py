"""A real tracking server that can be killed and started again at the same address."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from urllib3 import PoolManager, Retry

RETRIES = 120  # one a second at most


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


class Served:
    """`mlflow server` on a database.

    Args:
        folder: of the server's log and artifacts.
        backend: MLflow's address of the database.
        num_workers: processes that answer.
    """

    def __init__(self, folder: Path, backend: str, num_workers: int = 1) -> None:
        self.folder, self.port, self._num_workers = folder, free_port(), num_workers
        self.address = f"http://127.0.0.1:{self.port}"
        self._backend = backend
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it and waits until it answers."""
        command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(self.port)]
        command += ["--workers", str(self._num_workers)]
        command += ["--artifacts-destination", str(self.folder / "artifacts")]
        environment = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        environment.pop("MLFLOW_TRACKING_URI", None)
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "--backend-store-uri", self._backend],
                cwd=self.folder,
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        patient = Retry(total=RETRIES, backoff_factor=0.1, backoff_max=1)
        with PoolManager(retries=patient) as pool:
            answer = pool.request("GET", f"{self.address}/health")
        assert answer.status == 200, (self.folder / "log").read_text()

    def pause(self) -> None:
        """Lets it take connections and say nothing."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Lets it answer again."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGCONT)

    def kill(self) -> None:
        """Ends it and its workers by SIGKILL; a second time does nothing."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._process = None


@contextmanager
def served(folder: Path, database: Path) -> Iterator[Served]:
    """A server on a copy of an empty database, that has ended when this is left."""
    folder.mkdir()
    (folder / "mlflow.db").write_bytes(database.read_bytes())
    server = Served(folder, f"sqlite:///{folder / 'mlflow.db'}")
    try:
        yield server
    finally:
        server.kill()
