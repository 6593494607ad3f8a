"""The address of a store: what it may be, and whether anything answers there."""

from pathlib import Path
from tempfile import TemporaryFile
from typing import Any
from urllib.parse import urlsplit

from seedbed.errors import AwayError, StoreError
from seedbed.track import database
from seedbed.track.away import CODES
from seedbed.track.telling import shown, told

# Seconds that a server may take to say that it is there.
PATIENCE = 10
# A page that, unlike /health, tells whether this name, this user and the server's database are in order.
ASKED = "/api/2.0/mlflow/experiments/search?max_results=1"
# What to type where there is no way to the server.
OFFLINE = "track.offline=true"


def check_folders(root: Path) -> None:
    """Makes the folders of a store; a StoreError where they cannot be written to."""
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


def in_full(uri: str) -> str:
    """The address, independent of the working directory; a StoreError for one of no store."""
    if uri.startswith("sqlite:///"):
        return f"sqlite:///{_database_file(uri)}"
    if not uri.startswith(("http://", "https://")):
        raise _unknown(uri)
    return uri


def check(uri: str, root: Path) -> None:
    """Looks whether the store can be worked with; a database that is missing is made.

    Args:
        uri: in full.
        root: folder of the store.

    Raises:
        AwayError: for one that cannot be reached now.
        StoreError: for one that cannot be written or understood.
    """
    if uri.startswith("sqlite:///"):
        database.ensure(_database_file(uri), root / "artifacts")
    else:
        _check_server(uri)


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
    do = f"Start the server (`seedbed server`), correct MLFLOW_TRACKING_URI, or record here: {OFFLINE}."
    with told(f"tracking server {shown(uri)}", do=do):
        answer = request(known(uri), ASKED, "GET", timeout=PATIENCE, max_retries=0, raise_on_status=False)
    if answer.status_code == 401:
        raise AwayError(
            f"tracking server {shown(uri)}",
            expected="a server that lets you in",
            got=f"401 {answer.reason}",
            do="Set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or write them to "
            "~/.mlflow/credentials, for you alone to read.",
        )
    if answer.status_code != 200:
        kind = AwayError if answer.status_code in CODES or answer.status_code >= 500 else StoreError
        raise kind(
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
