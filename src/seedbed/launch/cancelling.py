"""Ends a study, or the jobs of single runs, wherever they are: nothing is lost, all can go on later."""

import os
import shutil
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from seedbed.errors import Stopped, StoreError
from seedbed.launch import queue
from seedbed.launch.task import Task, tasks
from seedbed.track.hold import holder
from seedbed.track.store import Store
from seedbed.verdict.find import is_study, runs_of
from seedbed.verdict.members import Member

# A step, a checkpoint, and the scheduler's own patience before it kills.
LIMIT_SECONDS = 180
POLL_SECONDS = 0.5
RUNNING = "RUNNING"


class Cancelled(NamedTuple):
    """What was ended.

    Args:
        process: of this machine that worked on it; None: none.
        job_ids: of the scheduler.
    """

    process: int | None
    job_ids: list[str]


def cancel(store: Store, found: Member | None) -> Cancelled:
    """Stops what makes the runs of a study, or one run, and closes what stays open as KILLED.

    Args:
        store: where they are.
        found: the study or the run; None: the jobs of single runs.

    Raises:
        StoreError: where something does not end.
        QueueError: where the scheduler cannot be told.
    """
    process = _stop(store, found) if found is not None else None
    folder = store.root if found is None or not is_study(found) else store.root / "runs" / found.run_id
    given = [
        task
        for task in tasks(folder)
        if task.slurm and task.ended(0) is None and (folder != store.root or _is(task, found))
    ]
    job_ids = _end(given)
    _close(store, found, given)
    return Cancelled(process, job_ids)


def _is(task: Task, found: Member | None) -> bool:
    return found is None or task.run_id == found.run_id


def _stop(store: Store, found: Member) -> int | None:
    """Tells the process that works on it, if it is of this machine; it stops its own children."""
    folder = store.root / "runs" / found.run_id
    process = holder(folder)
    if not process or b"seedbed" not in Path(f"/proc/{process}/cmdline").read_bytes():
        return None  # none, or the number is another machine's
    os.kill(process, signal.SIGTERM)
    _until(lambda: holder(folder) != process, f"process {process}")
    return process


def _end(given: Sequence[Task]) -> list[str]:
    """Cancels the jobs of these tasks, and sees them go."""
    own = {slurm["job_id"] for task in given if (slurm := task.slurm)}
    states = queue.states() if own else {}
    job_ids = sorted(number for number in own if states.get(number, queue.GONE).active)
    queue.cancel(job_ids)
    _until(lambda: not _active(job_ids), f"SLURM jobs {', '.join(job_ids)}")
    return job_ids


def _active(job_ids: Sequence[str]) -> bool:
    states = queue.states() if job_ids else {}
    return any(states.get(number, queue.GONE).active for number in job_ids)


def _close(store: Store, found: Member | None, given: Sequence[Task]) -> None:
    """What nobody works on any more is not RUNNING."""
    members = [found, *runs_of(store, found)] if found is not None else []
    run_ids = {member.run_id for member in members} | {task.run_id for task in given if task.run_id}
    for run_id in run_ids:
        folder = store.root / "runs" / run_id
        if store.client.get_run(run_id).info.status == RUNNING and holder(folder) is None:
            store.client.set_terminated(run_id, "KILLED")
    for task in given:
        if not task.num_lives:  # it has never begun
            shutil.rmtree(task.folder)
        elif task.ended(0) is None:
            task.close(None, Stopped(signal.SIGTERM))


def _until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + LIMIT_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            raise StoreError(
                what,
                expected=f"its end within {LIMIT_SECONDS} s",
                got="none",
                do="Look at it with seedbed status and seedbed logs; scancel --signal=KILL does not wait.",
            )
        time.sleep(POLL_SECONDS)
