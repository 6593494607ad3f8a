"""What waits for its store, on its way there."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from seedbed.track.leftover import Left
    from seedbed.track.store import Store


@click.command()
@click.option("--root", default="mlruns", show_default=True, help="Folder of the record store.")
@click.option(
    "--to", metavar="URI", help="The record store; default: as MLFLOW_TRACKING_URI says, else --root."
)
def sync(root: str, to: str | None) -> None:
    """Take to the record store what earlier runs could not: it was away, or their process died.

    To a server also what was recorded with track.offline=true: every run and study that it lacks.

    One line a run; exit code 1 if anything still waits.
    """
    from seedbed.track.store import Store

    store, waits = Store.open(Path(root), to), 0
    if store.uri.startswith("http") and (Path(root) / "mlflow.db").exists():
        local = Store.open(Path(root), offline=True)
        waits += _delivered(local)
        _transferred(local, store)
    waits += _delivered(store, everywhere=True)
    click.echo(f"{waits} of the runs still wait." if waits else "Nothing waits.")
    sys.exit(1 if waits else 0)


def _delivered(store: "Store", *, everywhere: bool = False) -> int:
    """Takes along what waits; how many runs still do."""
    from seedbed.track.leftover import deliver_left

    waits = 0
    for left in deliver_left(store, everywhere=everywhere):
        click.echo(_line(left))
        waits += left.num_waiting > 0
    return waits


def _transferred(local: "Store", store: "Store") -> None:
    from seedbed.track.transfer import transfer

    for run in transfer(local, store):
        if not run.known:
            click.echo(f"{run.name} ({run.old[:8]}): {run.status}, is there as {run.new}")


def _line(left: "Left") -> str:
    """What became of one run's."""
    told = f"{left.name} ({left.folder.name[:8]}): {left.num_delivered} delivered"
    return f"{told}, {left.num_waiting} waiting: {left.why}" if left.num_waiting else told
