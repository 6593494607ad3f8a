"""What is going on: where the runs are, what they print, and how to end them."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seedbed.errors import StoreError

if TYPE_CHECKING:
    from seedbed.launch.task import Task

HEAD = ("run", "state", "step", "metric", "node", "left", "limit", "requeued", "note")
POLL_SECONDS = 0.5
# Of a table that goes to a file or a pipe.
NUM_COLUMNS = 160
ROOT = click.option("--root", default="mlruns", show_default=True, help="Folder of the record store.")


@click.command()
@click.argument("study", required=False)
@ROOT
def status(study: str | None, root: str) -> None:
    """Tell where the runs of a STUDY are: queued, running, finished, failed.

    STUDY is the id of a study or a run, the beginning of one, its name, or `last`; left out: jobs of single
    runs that have not ended. `left` is an estimate, `limit` the scheduler's.
    """
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from seedbed.launch.watching import rows

    store, found = _found(study, root)
    with _scheduler():
        told = rows(store, found)
    out = Console(width=None if sys.stdout.isatty() else NUM_COLUMNS)
    if found is not None:
        out.print(escape(f"{found.name} ({found.run_id}): {found.status}"), highlight=False)
    counts = {row.state: sum(other.state == row.state for other in told) for row in told}
    out.print(", ".join(f"{number} {state}" for state, number in counts.items()) or "No runs.")
    shown = [place for place in range(len(HEAD)) if place == 0 or any(row[place] for row in told)]
    table = Table(*(HEAD[place] for place in shown))
    for row in told:
        table.add_row(*(escape(row[place]) for place in shown))
    if told:
        out.print(table)
    for row in told:
        if row.tail:
            out.print(escape(f"\nThe last lines of {row.name}:\n{row.tail}"), highlight=False)


@click.command()
@click.argument("study", required=False)
@ROOT
def cancel(study: str | None, root: str) -> None:
    """End the runs of a STUDY, on this machine and on a cluster; the same command goes on with them later.

    STUDY is the id of a study or a run, the beginning of one, its name, or `last`; left out: all jobs of
    single runs.
    """
    from seedbed.launch.cancelling import cancel as end
    from seedbed.terminal import counted

    with _scheduler():
        ended = end(*_found(study, root))
    told = [f"process {ended.process}"] if ended.process else []
    told += [f"{counted(len(ended.job_ids), 'job')} ({', '.join(ended.job_ids)})"] if ended.job_ids else []
    click.echo(f"Ended: {' and '.join(told)}." if told else "Nothing of it was running or queued.")


@click.command()
@click.argument("run")
@click.option("--follow", is_flag=True, help="Go on until the run ends.")
@ROOT
def logs(run: str, follow: bool, root: str) -> None:
    """Print what the process of a RUN printed, on this machine or on a cluster.

    RUN is its id, the beginning of one, its name, or `last`.
    """
    for text in _printed(_task(run, root), follow=follow):
        click.echo(text, nl=False)


def _found(text: str | None, root: str) -> Any:
    """The open store, and what is meant in it; None: nothing in particular."""
    from seedbed.verdict.find import find, opened

    store = opened(Path(root))
    return store, None if text is None else find(store, text)


@contextmanager
def _scheduler() -> Iterator[None]:
    """Turns what the scheduler's programs say into one paragraph."""
    from seedbed.launch.queue import QueueError

    try:
        yield
    except QueueError as error:
        do = "Try again where and when the scheduler answers."
        raise StoreError("the scheduler", expected="an answer", got=str(error), do=do) from error


def _task(text: str, root: str) -> "Task":
    """The latest task of this run."""
    from seedbed.launch.watching import everywhere, of_run

    store, _ = _found(None, root)
    named = of_run(everywhere(store.root), text)
    if named:
        return named[-1]
    _, found = _found(text, root)
    named = of_run(everywhere(store.root), found.run_id)
    if not named:
        raise StoreError(
            f"run {found.name} ({found.run_id})",
            expected="one that was made by launch=slurm or with launch.num_parallel above 1",
            got="one whose words went to the terminal of who started it",
            do="Its record is in seedbed ui; a run that failed has the artifact error.txt.",
        )
    return named[-1]


def _printed(task: "Task", *, follow: bool) -> Iterator[str]:
    place = 0
    while True:
        over = not follow or task.ended(0) is not None  # asked before the last look
        if task.log.exists():
            with task.log.open("rb") as file:
                file.seek(place)
                text = file.read()
            place += len(text)
            yield text.decode(errors="replace")
        if over:
            return
        time.sleep(POLL_SECONDS)
