"""The server's database, asked before MLflow is started: MLflow would retry, then print a trace."""

from typing import TYPE_CHECKING, Any

from seedbed.errors import ConfigError, StoreError
from seedbed.server.credentials import ADMIN_PASSWORD, DATABASE, DATABASE_PASSWORD, SET, Credentials

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

# Seconds that the database may take to answer.
PATIENCE = 10
# A table of MLflow's basic-auth app; without it nobody has an account yet.
HAS_ADMIN = "SELECT count(*) FROM users WHERE username = %s AND is_admin"


def check(given: Credentials) -> None:
    """Signs in, and sees that there is an administrator or a password for one.

    Raises:
        StoreError: where the database is away or does not let us in, or an extra package is missing.
        ConfigError: where this is the first start and no password of an administrator is given.
    """
    connection = _connected(given.database)
    try:
        known = _has_admin(connection, given.admin)
    finally:
        connection.close()
    if not known and given.password is None:
        raise ConfigError(
            ADMIN_PASSWORD,
            expected=f"a password for the administrator {given.admin!r}, who has no account yet",
            got="nothing",
            do=SET.format(name=ADMIN_PASSWORD) + " Later starts need none.",
        )


def _connected(url: "URL") -> Any:
    psycopg2: Any = _driver()
    try:
        return psycopg2.connect(
            host=url.host,
            port=url.port,
            user=url.username,
            password=url.password,
            dbname=url.database,
            connect_timeout=PATIENCE,
            **url.query,
        )
    except psycopg2.OperationalError as error:
        raise StoreError(
            f"database {url.render_as_string(hide_password=True)}",
            expected="a PostgreSQL that lets us in",
            got=(str(error).strip().splitlines() or ["no answer"])[0],
            do=f"Start it, or correct {DATABASE} and {DATABASE_PASSWORD}.",
        ) from error


def _driver() -> Any:
    """PostgreSQL's driver; and what MLflow needs for passwords, missed as early."""
    try:
        import flask_wtf  # noqa: F401
        import psycopg2
    except ImportError as error:
        raise ConfigError(
            "seedbed server",
            expected="the packages psycopg2-binary and Flask-WTF",
            got=f"no {error.name}",
            do="Run `pip install 'seedbed[server]'`.",
        ) from error
    return psycopg2


def _has_admin(connection: Any, name: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('users')")
        if cursor.fetchone()[0] is None:
            return False
        cursor.execute(HAS_ADMIN, (name,))
        return bool(cursor.fetchone()[0])
