"""The SQLite file of a local store: made whole before anyone sees it, looked at before MLflow does.

MLflow migrates a missing database in every process that opens it, all at once, and leaves it broken;
it also migrates an old one without asking. So one process makes the file under another name and a
lock, and a file that is there is checked with the standard library first.
"""

import logging
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from filelock import FileLock

from seedbed.errors import AwayError, StoreError

# Seconds that a writer waits for another one's lock.
PATIENCE = 30.0
ELSEWHERE = "Move the file away, or set track.root to another folder."


def ensure(path: Path, artifacts: Path) -> None:
    """Makes the database where it is missing, checks it where it is not.

    Args:
        path: the file.
        artifacts: folder of the artifacts of MLflow's default experiment.

    Raises:
        StoreError: for a file that this version of MLflow cannot write.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not _has_content(path):
            with FileLock(path.with_name(f"{path.name}.lock")):
                if not _has_content(path):
                    _create(path, artifacts)
    except OSError as error:
        raise _wrong(path, str(error), ELSEWHERE) from error
    _check(path)


def _has_content(path: Path) -> bool:
    return path.exists() and (not path.is_file() or path.stat().st_size > 0)


def _create(path: Path, artifacts: Path) -> None:
    """Migrates a new database under a temporary name, so that no crash leaves a half-made one."""
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    partial = path.with_name(f"{path.name}.partial")
    for leftover in (partial, path.with_name(f"{partial.name}-journal")):
        leftover.unlink(missing_ok=True)
    with _quiet("mlflow.store.db.utils", "alembic.runtime.migration"):
        store: Any = SqlAlchemyStore
        store(f"sqlite:///{partial}", artifacts.as_uri()).engine.dispose()
    partial.replace(path)


@contextmanager
def _quiet(*names: str) -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in names]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _check(path: Path) -> None:
    if path.is_dir():
        raise _wrong(path, "a folder", ELSEWHERE)
    try:
        with closing(sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)) as connection:
            revisions = _revisions(connection)
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("PRAGMA user_version = 0")  # MLflow's own value; fails where writing would
            connection.execute("ROLLBACK")
    except sqlite3.DatabaseError as error:
        kind = AwayError if "locked" in str(error) else StoreError
        raise _wrong(path, str(error), ELSEWHERE, kind) from error
    _check_revisions(path, revisions)


def _revisions(connection: sqlite3.Connection) -> list[str] | None:
    """The schema versions that the database claims, None where it is not MLflow's."""
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not {"alembic_version", "experiments"} <= tables:
        return None
    return [revision for (revision,) in connection.execute("SELECT version_num FROM alembic_version")]


def _check_revisions(path: Path, found: list[str] | None) -> None:
    known, newest = _known_revisions()
    if found == [newest]:
        return
    if found is None:
        raise _wrong(path, "another program's database, or one that was never finished", ELSEWHERE)
    if not set(found) <= known:
        raise _wrong(
            path,
            f"one that a newer MLflow made (schema {', '.join(found)})",
            "Update MLflow, or set track.root to another folder.",
        )
    raise _wrong(
        path,
        f"one that an older MLflow made or left half-migrated (schema {', '.join(found) or 'none'})",
        f"Copy the file, then run `mlflow db upgrade sqlite:///{path}`; if that fails, move it away.",
    )


@cache
def _known_revisions() -> tuple[set[str], str]:
    """Every schema version of the installed MLflow, and the newest, read from its migrations."""
    import mlflow

    texts = [
        file.read_text() for file in Path(mlflow.__file__).parent.glob("store/db_migrations/versions/*.py")
    ]
    known = {match for text in texts for match in re.findall(r'^revision = "(\w+)"', text, re.MULTILINE)}
    lines = [line for text in texts for line in re.findall(r"^down_revision = (.*)", text, re.MULTILINE)]
    (newest,) = known - set(re.findall(r"\w+", " ".join(lines)))
    return known, newest


def _wrong(path: Path, got: str, do: str, kind: type[StoreError] = StoreError) -> StoreError:
    return kind(f"database {path}", expected="one that the installed MLflow can write", got=got, do=do)
