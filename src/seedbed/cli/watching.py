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
# Between two looks whether a job that has not said how it ended is still there.
ASK_SECONDS = 5.0
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

    from seedbed.launch.watching import onward, rows

    store, found = _found(study, root)
    with _scheduler():
        told, next_one = rows(store, found), onward(store, found)
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
    if next_one:
        out.print(escape(next_one), highlight=False, soft_wrap=True)
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
    if told:
        click.echo(f"Ended: {' and '.join(told)}. The same command goes on with what it ended.")
    else:
        click.echo("Nothing of it was running or queued.")


@click.command()
@click.argument("run")
@click.option("--follow", is_flag=True, help="Go on until the run ends.")
@ROOT
def logs(run: str, follow: bool, root: str) -> None:
    """Print what the process of a RUN printed, on this machine or on a cluster.

    RUN is its id, the beginning of one, its name, or `last`.
    """
    task = _task(run, root)
    if not task.log.exists():
        click.echo(f"{task.name} has not printed anything yet; seedbed status tells where it is.", err=True)
    for text in _printed(task, follow=follow):
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
        _check_run(store, found)
        raise StoreError(
            f"run {found.name} ({found.run_id})",
            expected="one that was made by launch=slurm or with launch.num_parallel above 1",
            got="one whose words went to the terminal of who started it",
            do="Its record is in seedbed ui; a run that failed has the artifact error.txt.",
        )
    return named[-1]


def _check_run(store: Any, found: Any) -> None:
    """Refuses a study, naming a run of it."""
    from seedbed.verdict.find import is_study, runs_of

    if is_study(found):
        name = next((run.name for run in runs_of(store, found)), "RUN")
        raise StoreError(
            f"run {found.name} ({found.run_id})",
            expected="one of its runs",
            got="a study",
            do=f"Name one, such as `seedbed logs '{name}'`; seedbed status {found.run_id[:8]} lists them.",
        )


def _printed(task: "Task", *, follow: bool) -> Iterator[str]:
    from seedbed.launch.watching import is_gone

    place, num_gone, due = 0, 0, time.monotonic() + ASK_SECONDS
    while True:
        if follow and time.monotonic() > due:
            num_gone, due = num_gone + 1 if is_gone(task) else 0, time.monotonic() + ASK_SECONDS
        # Asked before the last look; a job that is gone may have said how it ended a moment ago.
        over = not follow or task.ended(0) is not None or num_gone > 1
        if task.log.exists():
            with task.log.open("rb") as file:
                file.seek(place)
                text = file.read()
            place += len(text)
            yield text.decode(errors="replace")
        if over:
            return
        time.sleep(POLL_SECONDS)
