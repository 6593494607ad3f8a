"""What MLflow, or what lies below it, raises, as one paragraph."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from seedbed.errors import AwayError, StoreError
from seedbed.track.away import is_away


@contextmanager
def told(what: str, do: str) -> Iterator[None]:
    """Turns what MLflow, or the disk below it, raises into one paragraph."""
    try:
        yield
    except _raised() as error:
        # SQLAlchemy may begin with advice to programmers.
        lines = [line for line in str(error).strip().splitlines() if not line.startswith("(raised as a")]
        got = shown(_cause(lines[0]) if lines else type(error).__name__)
        kind = AwayError if is_away(error) else StoreError
        raise kind(what, expected="a store that takes it", got=got, do=do) from error


def _cause(line: str) -> str:
    """What a connection failed of, without the layers of libraries that tried it."""
    found = re.search(r"\(Caused by \w+\((?:[^()]*\([^()]*\))?[^:()]*: (.+?)['\"]?\)\)$", line)
    return found[1] if found else line


def _raised() -> tuple[type[Exception], ...]:
    """What a store raises: MLflow, the system, and a database where one has been loaded at all."""
    from mlflow.exceptions import MlflowException

    module: Any = sys.modules.get("sqlalchemy.exc")
    return (MlflowException, OSError, *((module.SQLAlchemyError,) if module else ()))


def shown(uri: str) -> str:
    """The address without a password."""
    return re.sub(r"//[^/@]*@", "//", uri)
