"""The command `seedbed`: its verbs, and how it ends."""

import signal
import sys

import click

from seedbed import lean
from seedbed.cli.graphing import graph
from seedbed.cli.picturing import picture
from seedbed.cli.proving import diff, pack, reproduce, rerun, unpack, verify
from seedbed.cli.reading import compare, report, ui
from seedbed.cli.serving import server
from seedbed.cli.syncing import sync
from seedbed.cli.training import join, resume, train
from seedbed.cli.using import calibrate, export, predict, register, test_verb
from seedbed.cli.watching import cancel, logs, status
from seedbed.errors import Detached, SeedbedError, Stopped, TrainingError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="seedbed")
def cli() -> None:
    """Seedbed: image classifiers grown under replication, every run on record."""


for verb in (
    *(train, resume, join, status, cancel, logs),
    *(predict, test_verb, calibrate, export, register),
    *(graph, picture),
    *(compare, diff, reproduce, rerun, verify, pack, unpack, report, server, sync, ui),
):
    cli.add_command(verb)


def main() -> None:
    """Entry point: an error the user can mend is one paragraph, not a trace.

    Exit codes: 0 done; 1 a run died; 2 refused before it began; 128 + n stopped by signal n.
    """
    lean.put_off()
    try:
        cli(prog_name="seedbed")
    except SeedbedError as error:
        lines = [note for note in getattr(error, "__notes__", ()) if "\n" not in note]  # no rank's trace
        click.echo("\n".join([f"seedbed: {error}", *lines]), err=True)
        sys.exit(1 if isinstance(error, TrainingError) else 2)
    except Detached as detached:
        click.echo(f"seedbed: {detached.told}", err=True)
        sys.exit(128 + detached.signal_number)
    except Stopped as stopped:
        name = signal.Signals(stopped.signal_number).name
        onward = (
            "the same command" if {"-m", "--multirun", "launch=slurm"} & set(sys.argv) else "seedbed resume"
        )
        click.echo(
            f"seedbed: stopped by {name}; the record says KILLED; {onward} goes on from here", err=True
        )
        sys.exit(128 + stopped.signal_number)
