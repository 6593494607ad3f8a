"""Where the record lives: one SQLite file with a folder of artifacts, or a tracking server."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any
from urllib.parse import unquote, urlsplit

from seedbed.errors import StoreError
from seedbed.track import database

# Seconds that a server may take to say that it is there.
PATIENCE = 10
# Set by a shell or another program, these would move points, params or the model to another run.
DIVERTING = (
    "MLFLOW_RUN_ID",
    "MLFLOW_EXPERIMENT_ID",
    "MLFLOW_EXPERIMENT_NAME",
    "MLFLOW_ACTIVE_MODEL_ID",
    "_MLFLOW_ACTIVE_MODEL_ID",
    "MLFLOW_ENABLE_ASYNC_LOGGING",
)


class Store:
    """An open record store.

    Args:
        uri: MLflow's address of the store.
        root: local folder of the runs' work, and of the artifacts where the store is local.
    """

    def __init__(self, uri: str, root: Path) -> None:
        self.uri, self.root = uri, root
        with told(f"record store {shown(uri)}", do="Set track.root or MLFLOW_TRACKING_URI to another store."):
            from mlflow import MlflowClient

            # The registry too: left out, it follows MLflow's global state.
            self.client: Any = MlflowClient(uri, registry_uri=uri)

    @classmethod
    def open(cls, root: Path, uri: str | None = None) -> "Store":
        """The store of a folder, made where it is missing.

        Args:
            root: folder of the store.
            uri: `sqlite:///FILE` or `http(s)://SERVER`; None: the environment's MLFLOW_TRACKING_URI,
                else `mlflow.db` in `root`.

        Raises:
            StoreError: for a store that cannot be written, reached or understood.
        """
        root = root.absolute()
        uri = uri or os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{root / 'mlflow.db'}"
        for name in DIVERTING:
            os.environ.pop(name, None)
        # MLflow would otherwise report to its makers, in two threads a process.
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        # Our own last words say where to look; MLflow would add two lines a run.
        os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
        # And a bar for each small file that is read.
        os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
        _check_folders(root)
        if uri.startswith("sqlite:///"):
            file = _database_file(uri)
            database.ensure(file, root / "artifacts")
            uri = f"sqlite:///{file}"
        elif uri.startswith(("http://", "https://")):
            _check_server(uri)
        else:
            raise _unknown(uri)
        return cls(uri, root)

    def experiment(self, name: str) -> str:
        """The id of the experiment of this name, made where it is missing.

        Raises:
            StoreError: where it was deleted, or keeps its artifacts in a folder that is gone.
        """
        with told(f"MLflow experiment {name!r}", do="Choose another name: track.experiment=NAME."):
            found = self.client.get_experiment_by_name(name) or self._create_experiment(name)
        if found.lifecycle_stage == "deleted":
            raise StoreError(
                f"track.experiment={name}",
                expected="an experiment that is there or not yet there",
                got="one that was deleted",
                do=f"Run `mlflow experiments restore --experiment-id {found.experiment_id}`, or choose "
                "another name.",
            )
        self._check_location(name, found.artifact_location)
        return str(found.experiment_id)

    def _create_experiment(self, name: str) -> Any:
        """Creates the experiment, or finds the one that another process created meanwhile."""
        from mlflow.exceptions import MlflowException

        # Named explicitly, because MLflow's own default depends on the working directory.
        folder = self.root / "artifacts" / re.sub(r"[^\w-]", "_", name)
        location = folder.as_uri() if self.uri.startswith("sqlite:") else None
        try:
            return self.client.get_experiment(self.client.create_experiment(name, artifact_location=location))
        except MlflowException as error:
            found = self.client.get_experiment_by_name(name)
            if error.error_code != "RESOURCE_ALREADY_EXISTS" or found is None:
                raise
            return found

    def _check_location(self, name: str, location: str) -> None:
        """Refuses an experiment of a store that was moved: its artifacts would go to the old place."""
        folder = Path(unquote(urlsplit(location).path))
        ours = folder.is_relative_to(self.root / "artifacts")
        if location.startswith(("file:", "/")) and not ours and not folder.is_dir():
            raise StoreError(
                f"track.experiment={name}",
                expected=f"artifacts in {self.root / 'artifacts'}",
                got=f"an experiment that keeps them in {folder}, which is gone (was the store moved?)",
                do="Move the store back, or choose another name.",
            )


@contextmanager
def told(what: str, do: str) -> Iterator[None]:
    """Turns what MLflow, or the disk below it, raises into one paragraph."""
    from mlflow.exceptions import MlflowException

    try:
        yield
    except (MlflowException, OSError) as error:
        # SQLAlchemy may begin with advice to programmers.
        lines = [line for line in str(error).strip().splitlines() if not line.startswith("(raised as a")]
        got = shown(lines[0] if lines else type(error).__name__)
        raise StoreError(what, expected="a store that takes it", got=got, do=do) from error


def shown(uri: str) -> str:
    """The address without a password."""
    return re.sub(r"//[^/@]*@", "//", uri)


def _check_folders(root: Path) -> None:
    for folder in (root, root / "artifacts", root / "runs"):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            TemporaryFile(dir=folder).close()
        except OSError as error:
            raise StoreError(
                f"record folder {folder}",
                expected="a folder to write in",
                got=str(error.strerror),
                do="Set track.root to a folder that you may write.",
            ) from error


def _database_file(uri: str) -> Path:
    name = uri.removeprefix("sqlite:///")
    if not name or name.startswith(":memory:"):
        raise _unknown(uri)
    if "?" in name or "%" in name:
        raise StoreError(
            f"database {name}",
            expected="a path without ? and %, which mean something else in SQLite's addresses",
            got=name,
            do="Set track.root to another folder.",
        )
    return Path(name).absolute()


def _check_server(uri: str) -> None:
    """Asks the server for a sign of life, because MLflow's own first request retries for minutes."""
    from mlflow.utils import credentials, rest_utils

    request: Any = rest_utils.http_request
    known: Any = credentials.get_default_host_creds
    do = "Start the server (`mlflow server`), or correct MLFLOW_TRACKING_URI."
    with told(f"tracking server {shown(uri)}", do=do):
        answer = request(known(uri), "/health", "GET", timeout=PATIENCE, max_retries=0, raise_on_status=False)
    if answer.status_code not in (200, 404):  # a hosted MLflow may have no such page
        raise StoreError(
            f"tracking server {shown(uri)}",
            expected="an MLflow server that takes requests under this name",
            got=f"{answer.status_code} {answer.text.strip().partition(chr(10))[0][:200]}",
            do="Correct MLFLOW_TRACKING_URI, or start the server with "
            f"`--allowed-hosts {urlsplit(uri).hostname}`.",
        )


def _unknown(uri: str) -> StoreError:
    return StoreError(
        f"MLFLOW_TRACKING_URI={shown(uri)}",
        expected="sqlite:///FILE, http://SERVER or https://SERVER",
        got="an address that keeps no complete record",
        do="Unset it to use the database in track.root. A folder of files is no store since MLflow 3; "
        "put a server before any other database.",
    )
