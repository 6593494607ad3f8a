"""What waits for its store, on its way there."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from seedbed.track.leftover import Left


@click.command()
@click.option("--root", default="mlruns", show_default=True, help="Folder of the record store.")
def sync(root: str) -> None:
    """Take to the record store what earlier runs could not: it was away, or their process died.

    One line a run; exit code 1 if anything still waits.
    """
    from seedbed.track.leftover import deliver_left
    from seedbed.track.store import Store

    waits = 0
    for left in deliver_left(Store.open(Path(root)), everywhere=True):
        click.echo(_line(left))
        waits += left.num_waiting > 0
    click.echo(f"{waits} of the runs still wait." if waits else "Nothing waits.")
    sys.exit(1 if waits else 0)


def _line(left: "Left") -> str:
    """What became of one run's."""
    told = f"{left.name} ({left.folder.name[:8]}): {left.num_delivered} delivered"
    return f"{told}, {left.num_waiting} waiting: {left.why}" if left.num_waiting else told
