"""What a store says that is away, and how long it is waited for."""

import errno
import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from seedbed.track.room import FULL

# Seconds that one request may take while a run is at work, and bytes of a file that each second more is for.
REQUEST_SECONDS, BYTES_A_SECOND = 5.0, 10_000_000
# MLflow's error codes of a server that has understood and refuses; any other answer may change by itself.
REFUSALS = (
    "BAD_REQUEST",
    "INVALID_PARAMETER_VALUE",
    "INVALID_STATE",
    "RESOURCE_DOES_NOT_EXIST",
    "RESOURCE_ALREADY_EXISTS",
    "ALREADY_EXISTS",
)
# A server passes on what its database's driver raises as a BAD_REQUEST, a lost connection included.
DRIVER = re.compile(r"\b(InterfaceError|InternalError|OperationalError|PendingRollbackError)\b")
DISK_FULL = "database or disk is full"
CODES = (401, 403, 404, 408, 429)
NUMBERS = (errno.ESTALE, errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN)
QUIET = ("mlflow.store.db.utils", "urllib3.connectionpool")


def is_away(error: BaseException) -> bool:
    """Whether what MLflow or the disk raised says only that the store cannot be reached now.

    A server whose disk is full is away, too; a full disk of this machine is not.
    """
    code = getattr(error, "error_code", None)
    if isinstance(code, str):
        return _is_away(error, code)
    answer: Any = getattr(error, "response", None)
    if answer is not None:
        return answer.status_code in CODES or answer.status_code >= 500
    if type(error).__module__.startswith("sqlalchemy"):
        return bool(DRIVER.search(repr(error))) and not is_full(error)
    requested = type(error).__module__.startswith("requests")
    number = getattr(error, "errno", None)
    return requested or isinstance(error, ConnectionError | TimeoutError) or number in NUMBERS


def _is_away(error: BaseException, code: str) -> bool:
    """Of an error with one of MLflow's codes."""
    from mlflow.exceptions import RestException

    over_http = isinstance(error, RestException) or str(error).startswith("API request to")
    if not over_http:
        return code == "TEMPORARILY_UNAVAILABLE" and not is_full(error)
    return code not in REFUSALS or (code == "BAD_REQUEST" and bool(DRIVER.search(str(error))))


def is_full(error: BaseException | None) -> bool:
    """Whether this machine's own disk is full."""
    return getattr(error, "errno", None) in FULL or DISK_FULL in str(error)


@contextmanager
def brief(seconds: float = REQUEST_SECONDS) -> Iterator[None]:
    """Requests without repetition that take no longer than so; MLflow's own would go on for minutes."""
    ours = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "MLFLOW_HTTP_REQUEST_TIMEOUT": str(max(1, int(seconds)))}
    before = {name: os.environ.get(name) for name in ours}
    loggers = [logging.getLogger(name) for name in QUIET]
    silenced = [logger.disabled for logger in loggers]
    os.environ.update(ours)
    for logger in loggers:  # each would print a trace of what is told in one line
        logger.disabled = True  # a level would make every logger forget what it has worked out
    try:
        yield
    finally:
        for logger, silent in zip(loggers, silenced, strict=True):
            logger.disabled = silent
        for name, value in before.items():
            _restore(name, value)


def _restore(name: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value
