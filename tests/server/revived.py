"""MLflow's server, back at once after a SIGKILL: forked from a process that has paid for the imports.

What runs is what `mlflow server` runs, uvicorn with MLflow's own application; a start of the command
itself costs ten seconds of imports, which twenty times would be most of a test.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import final

from urllib3 import PoolManager, Retry

from tests.served import free_port

RETRIES = 240  # four a second at most


@final
class Revived:
    """A server of one process that can be killed and started again at the same address.

    Args:
        folder: new, of the server's log and artifacts.
        backend: MLflow's address of the database, which is made where it is empty.
    """

    def __init__(self, folder: Path, backend: str) -> None:
        folder.mkdir()
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        environment = {
            **os.environ,
            "_MLFLOW_SERVER_FILE_STORE": backend,
            "_MLFLOW_SERVER_REGISTRY_STORE": backend,
            "_MLFLOW_SERVER_ARTIFACT_ROOT": "mlflow-artifacts:/",
            "_MLFLOW_SERVER_ARTIFACT_DESTINATION": str(folder / "artifacts"),
            "_MLFLOW_SERVER_SERVE_ARTIFACTS": "true",
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "PYTHONWARNINGS": "ignore",
        }
        with (folder / "log").open("ab") as log:
            self._parent = subprocess.Popen(
                [sys.executable, "-m", "tests.server.revived", str(self.port)],
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self._child: int | None = None

    def start(self) -> None:
        """Starts it and waits until it answers."""
        assert self._parent.stdin is not None
        assert self._parent.stdout is not None
        self._parent.stdin.write("start\n")
        self._parent.stdin.flush()
        self._child = int(self._parent.stdout.readline())
        patient = Retry(total=RETRIES, backoff_factor=0.05, backoff_max=0.25)
        with PoolManager(retries=patient) as pool:
            page = f"{self.address}/api/2.0/mlflow/experiments/search?max_results=1"
            assert pool.request("GET", page).status == 200

    def kill(self) -> None:
        """Ends it by SIGKILL; a second time does nothing."""
        if self._child is not None:
            os.kill(self._child, signal.SIGKILL)
        self._child = None

    def remove(self) -> None:
        """Ends it for good."""
        self.kill()
        self._parent.communicate()


def serve(port: int) -> None:
    """The process that servers are forked from: one a line of its input."""
    import uvicorn
    from mlflow.server.fastapi_app import app

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how a child ended
    for _ in sys.stdin:
        child = os.fork()
        if not child:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning")
            os._exit(0)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve(int(sys.argv[1]))
