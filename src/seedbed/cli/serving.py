"""What serves a record to several people."""

from pathlib import Path

import click

PERMISSIONS = ("NO_PERMISSIONS", "READ", "EDIT", "MANAGE")
NEXT = """MLflow is at {url} (Ctrl-C ends it).
To record there, on every machine that trains:
  export MLFLOW_TRACKING_URI={url}
  export MLFLOW_TRACKING_USERNAME={admin}
  export MLFLOW_TRACKING_PASSWORD=...
The last two may stand in ~/.mlflow/credentials instead. Accounts for others: {url}/signup, as {admin}."""
OPEN = """Other machines reach it, and passwords cross the network as they are typed: put a proxy with TLS
before it, or listen on 127.0.0.1 and let others come through ssh -L."""


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=5000, show_default=True, type=click.IntRange(1, 65535), help="Port to listen on."
)
@click.option(
    "--allowed-host",
    "names",
    metavar="NAME",
    multiple=True,
    help="A name under which others reach it, as in their address; again for a second one.",
)
@click.option(
    "--workers", default=2, show_default=True, type=click.IntRange(min=1), help="Processes that answer."
)
@click.option(
    "--artifacts",
    default="mlartifacts",
    show_default=True,
    metavar="FOLDER",
    help="Where the server keeps artifacts: a folder, or an address such as s3://BUCKET.",
)
@click.option(
    "--permission",
    default="EDIT",
    show_default=True,
    type=click.Choice(PERMISSIONS),
    help="What one may do with another's experiment.",
)
@click.option(
    "--credentials",
    "file",
    metavar="FILE",
    help="Lines NAME=VALUE that only you can read (chmod 600); else the environment has them.",
)
def server(
    host: str,
    port: int,
    names: tuple[str, ...],
    workers: int,
    artifacts: str,
    permission: str,
    file: str | None,
) -> None:
    """Serve a record to several people: MLflow on PostgreSQL, with passwords, artifacts through it.

    Credentials come from the environment or from --credentials FILE, never from this command line:

    \b
      SEEDBED_DATABASE           postgresql://USER@HOST:PORT/NAME
      SEEDBED_DATABASE_PASSWORD  where the database asks for one
      SEEDBED_ADMIN              name of the administrator; admin if left out
      SEEDBED_ADMIN_PASSWORD     12 characters or more; the first start needs it

    Whoever trains sets MLFLOW_TRACKING_URI, MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD. The
    database must exist; its tables are made at the first start.

    \b
      createdb mlflow
      export SEEDBED_DATABASE=postgresql://me@127.0.0.1:5432/mlflow
      read -rs SEEDBED_ADMIN_PASSWORD; export SEEDBED_ADMIN_PASSWORD
      seedbed server
    """  # noqa: D301 (click's mark of a paragraph kept as it is)
    import signal
    import sys

    from seedbed.server import database
    from seedbed.server.address import Address
    from seedbed.server.credentials import credentials, here
    from seedbed.server.process import Plan, gone, served
    from seedbed.server.shelf import kept

    address = Address(host, port, names)
    given = credentials(Path(file) if file else None, here())
    address.check()
    database.check(given)
    place = artifacts if "://" in artifacts else str(kept(Path(artifacts)))
    for number in (signal.SIGINT, signal.SIGTERM):  # the first, too: a shell's background job ignores it
        signal.signal(number, signal.default_int_handler)
    try:
        with served(Plan(address, given, place, workers, permission), here()) as process:
            click.echo(
                NEXT.format(url=address.url, admin=given.admin) + (f"\n{OPEN}" if address.public else "")
            )
            raise gone(address, process.wait())
    except KeyboardInterrupt:
        sys.exit(0)
