"""MLflow's server as a process: started, seen to answer, ended with all its children."""

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from seedbed.errors import ConfigError, StoreError
from seedbed.server.address import Address
from seedbed.server.credentials import ADMIN_PASSWORD, Credentials, without_secrets

# Seconds from the start to the first answer; the tables of a new database are made meanwhile.
TO_START, TO_END, PAUSE = 180, 10, 0.2
# Set in a shell for another purpose, these would bend the server.
DIVERTING = (
    "MLFLOW_TRACKING_URI",
    "MLFLOW_ARTIFACTS_ONLY",
    "MLFLOW_DEFAULT_ARTIFACT_ROOT",
    "MLFLOW_STATIC_PREFIX",
    "MLFLOW_SERVER_DISABLE_SECURITY_MIDDLEWARE",
    "MLFLOW_GUNICORN_OPTS",
    "MLFLOW_REGISTRY_STORE_URI",
    "MLFLOW_READ_REPLICA_BACKEND_STORE_URI",
)


class Plan(NamedTuple):
    """What is to be started.

    Args:
        address: where it listens.
        given: what it signs in with.
        artifacts: a folder or an address such as `s3://BUCKET`; only the server itself goes there.
        num_workers: processes that answer, 1 or more.
        permission: what one may do with an experiment of another: MLflow's READ, EDIT, MANAGE or
            NO_PERMISSIONS.
    """

    address: Address
    given: Credentials
    artifacts: str
    num_workers: int
    permission: str


def command(plan: Plan) -> list[str]:
    """What `ps` shows of it: nothing secret."""
    address = plan.address
    return [
        *(sys.executable, "-m", "mlflow", "server", "--app-name", "basic-auth"),
        *("--host", address.host, "--port", str(address.port), "--workers", str(plan.num_workers)),
        *("--allowed-hosts", address.hosts(), "--cors-allowed-origins", address.origins()),
        *("--serve-artifacts", "--artifacts-destination", plan.artifacts),
        *("--uvicorn-opts", "--log-level warning"),
    ]


def environment(plan: Plan, around: Mapping[str, str], config: Path) -> dict[str, str]:
    """What MLflow reads the rest from.

    Args:
        plan: what is to be started.
        around: the environment that it is started in.
        config: where `write_config` has written.
    """
    clean = {name: value for name, value in without_secrets(around).items() if name not in DIVERTING}
    password = {"MLFLOW_AUTH_ADMIN_PASSWORD": plan.given.password} if plan.given.password else {}
    return {
        **clean,
        "MLFLOW_BACKEND_STORE_URI": plan.given.database.render_as_string(hide_password=False),
        "MLFLOW_AUTH_CONFIG_PATH": str(config),
        "MLFLOW_AUTH_ADMIN_USERNAME": plan.given.admin,
        **password,
        # It signs the forms of the sign-up page, so it may change from start to start.
        "MLFLOW_FLASK_SERVER_SECRET_KEY": secrets.token_hex(32),
        # Jobs are for what we do not use; they cost a process of 240 MB.
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        # Of its own packages' age, for its makers.
        "PYTHONWARNINGS": "ignore",
    }


def write_config(plan: Plan, file: Path) -> None:
    """Writes the part that MLflow reads from a file only, for nobody else to read."""
    # Accounts in the same database: one thing to back up. The file's parser takes % for a sign of its own.
    database = plan.given.database.render_as_string(hide_password=False).replace("%", "%%")
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
        opened.write(f"[mlflow]\ndefault_permission = {plan.permission}\ndatabase_uri = {database}\n")


@contextmanager
def served(plan: Plan, around: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """The server, answering; left, it ends with all its children.

    Raises:
        StoreError: where it dies or does not answer in time.
        ConfigError: where the administrator's password is another.
    """
    with TemporaryDirectory(prefix="seedbed-server-") as folder:
        config = Path(folder) / "auth.ini"
        write_config(plan, config)
        # A group of its own, so that all of it can be ended, and only by us.
        process = subprocess.Popen(
            command(plan), env=environment(plan, around, config), cwd=folder, start_new_session=True
        )
        try:
            _await(process, plan)
            yield process
        finally:
            _end(process)


def _await(process: subprocess.Popen[bytes], plan: Plan) -> None:
    """Waits until it answers, then signs in as the administrator."""
    from urllib3 import PoolManager, make_headers
    from urllib3.exceptions import HTTPError

    here, deadline = plan.address.here, time.monotonic() + TO_START
    with PoolManager(retries=False, timeout=TO_END) as pool:
        while True:
            code = process.poll()
            if code is not None or time.monotonic() > deadline:
                raise _silent(plan, code)
            with suppress(HTTPError):
                if pool.request("GET", f"{here}/health").status == 200:
                    break
            time.sleep(PAUSE)
        if plan.given.password is None:
            return
        signed = make_headers(basic_auth=f"{plan.given.admin}:{plan.given.password}")
        page = f"{here}/api/2.0/mlflow/users/get?username={plan.given.admin}"
        if pool.request("GET", page, headers=signed).status == 401:
            raise _another(plan.given.admin)


def _silent(plan: Plan, code: int | None) -> StoreError:
    return StoreError(
        f"mlflow server on {plan.address.here}",
        expected=f"an answer within {TO_START} s",
        got="none" if code is None else f"its end, with exit code {code}",
        do="Its own lines above say why.",
    )


def gone(address: Address, code: int) -> StoreError:
    """What there is to say of a server that ended by itself."""
    return StoreError(
        f"mlflow server on {address.here}",
        expected="one that goes on until Ctrl-C",
        got=f"its end, by signal {-code}" if code < 0 else f"its end, with exit code {code}",
        do="Start it again: what runs say meanwhile waits in their folders. Its own lines above may say why.",
    )


def _another(admin: str) -> ConfigError:
    return ConfigError(
        ADMIN_PASSWORD,
        expected=f"the password that the administrator {admin!r} has since the first start",
        got="another, which MLflow would ignore",
        do="Give that one or none. To change it, sign in to the UI, or ask MLflow's `users/update-password`.",
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    """Asks the whole group to end, and insists after a while."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(TO_END)
