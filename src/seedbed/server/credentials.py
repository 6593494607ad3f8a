"""The server's secrets: from the environment, or from a file that nobody else can read."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from seedbed.errors import ConfigError

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

DATABASE, DATABASE_PASSWORD = "SEEDBED_DATABASE", "SEEDBED_DATABASE_PASSWORD"
ADMIN, ADMIN_PASSWORD = "SEEDBED_ADMIN", "SEEDBED_ADMIN_PASSWORD"
NAMES = (DATABASE, DATABASE_PASSWORD, ADMIN, ADMIN_PASSWORD)
# mlflow.server.auth.sqlalchemy_store, version 3.17.
MIN_LENGTH = 12
SET = f"Set it in the environment, or as a line `{{name}}=...` of a file: --credentials FILE, {0o600:o} only."


class Credentials(NamedTuple):
    """What the server signs in with, and what its administrator does.

    Args:
        database: address of the database, password included where there is one.
        admin: name of the administrator.
        password: the administrator's; None: not given, which only a first start needs.
    """

    database: "URL"
    admin: str
    password: str | None

    def __repr__(self) -> str:  # a trace may show it
        return f"Credentials({self.database!r}, {self.admin!r})"


def credentials(file: Path | None, environment: Mapping[str, str]) -> Credentials:
    """The server's credentials.

    Args:
        file: lines `NAME=VALUE`, as `docker compose` reads them; None: none.
        environment: where the same names may stand.

    Raises:
        ConfigError: for a file that others can read, a name in both places with two values, no address
            of a database or one that is no PostgreSQL's, and a password that MLflow would not take.
    """
    given = {name: environment[name] for name in NAMES if environment.get(name)}
    for name, value in (_lines(file) if file else {}).items():
        if given.setdefault(name, value) != value:
            raise ConfigError(
                name,
                expected="one value",
                got=f"one in the environment and another in {file}",
                do=f"Unset it, or take it out of {file}.",
            )
    password = given.get(ADMIN_PASSWORD)
    if password is not None and len(password) < MIN_LENGTH:
        raise ConfigError(
            ADMIN_PASSWORD,
            expected=f"at least {MIN_LENGTH} characters",
            got=f"{len(password)}",
            do="Choose a longer one.",
        )
    return Credentials(_database(given), given.get(ADMIN, "admin"), password)


def _lines(file: Path) -> dict[str, str]:
    """The names and values of a file that is its owner's alone."""
    try:
        mode = stat.S_IMODE(file.stat().st_mode)
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise ConfigError(
                str(file),
                expected="a file that only its owner can read or write",
                got=f"mode {mode:o}",
                do=f"Run `chmod 600 {file}`; if others may have read it, change the passwords first.",
            )
        text = file.read_text()
    except OSError as error:
        raise ConfigError(
            str(file), expected="a file to read", got=str(error.strerror), do="Correct --credentials."
        ) from error
    stripped = (line.strip() for line in text.splitlines())
    pairs = [line.partition("=") for line in stripped if line and not line.startswith("#")]
    for name, sign, _ in pairs:
        if name not in NAMES or not sign:
            raise ConfigError(
                str(file),
                expected=f"lines NAME=VALUE, with the names {', '.join(NAMES)}",
                got=f"the name {name!r}" if sign else "a line without =",  # which may hold a password
                do="Correct the line.",
            )
    return {name: value for name, _, value in pairs}


def _database(given: Mapping[str, str]) -> "URL":
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    expected = "postgresql://USER@HOST:PORT/NAME"
    if DATABASE not in given:
        raise ConfigError(DATABASE, expected=expected, got="nothing", do=SET.format(name=DATABASE))
    try:
        url = make_url(given[DATABASE])
    except (ArgumentError, ValueError):
        url = make_url("unreadable://")
    if url.get_backend_name() != "postgresql" or not url.database:
        raise ConfigError(
            DATABASE,
            expected=expected,
            got=f"an address of {url.get_backend_name()!r}",  # not the address: it may hold a password
            do="Give the server a PostgreSQL. For one person, `seedbed ui` on mlruns/ needs none.",
        )
    password = given.get(DATABASE_PASSWORD, url.password)
    if url.password and url.password != password:
        raise ConfigError(
            DATABASE_PASSWORD,
            expected="one password of the database",
            got=f"one here and another inside {DATABASE}",
            do=f"Take it out of {DATABASE}.",
        )
    return url.set(drivername="postgresql+psycopg2", password=password)


def without_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment for other processes."""
    return {name: value for name, value in environment.items() if name not in NAMES}


def here() -> dict[str, str]:
    """The environment of this process."""
    return dict(os.environ)
