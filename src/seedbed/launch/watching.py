"""Where the runs of a study are, and of single runs: from the record, their journals and the scheduler."""

import json
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from seedbed.errors import Stopped, StoreError
from seedbed.launch import queue
from seedbed.launch.task import Task, tasks
from seedbed.saving import POSITION
from seedbed.terminal import duration
from seedbed.track.hold import holder
from seedbed.track.journal import Journal
from seedbed.track.store import Store
from seedbed.verdict.find import find, is_study, runs_of
from seedbed.verdict.members import Member

# What shows how a run does, the first that it has.
TOLD = ("test/accuracy", "val/accuracy", "val/loss", "train/loss")
OVER = {"FINISHED": "finished", "PRUNED": "pruned", "FAILED": "failed", "KILLED": "stopped"}
ORDER = ("running", "starting", "queued", "lost", "failed", "stopped", "pruned", "finished")
RUNNING = "RUNNING"
# Fewer characters of an id are too easily met by chance.
NUM_DIGITS = 4


class Row(NamedTuple):
    """One run, as a table has it.

    Args:
        name: of the run.
        state: one of `ORDER`.
        step: optimiser steps done, of how many.
        metric: the latest word on how it does.
        node: where it is or was.
        left: time that it needs, as far as it can be told.
        limit: time that the scheduler gives it.
        requeued: how often it was queued again.
        note: why it waits, or what it died of.
        tail: the last lines of its log, where it failed.
    """

    name: str
    state: str
    step: str = ""
    metric: str = ""
    node: str = ""
    left: str = ""
    limit: str = ""
    requeued: str = ""
    note: str = ""
    tail: str = ""


def rows(store: Store, found: Member | None) -> list[Row]:
    """The runs of a study, or a single one; None: jobs of single runs that have not ended.

    Raises:
        QueueError: where the scheduler has jobs of these and cannot be asked.
    """
    folder = store.root if found is None or not is_study(found) else store.root / "runs" / found.run_id
    known = [task for task in tasks(folder) if found is not None or task.ended(0) is None]
    states = queue.states() if any(task.slurm for task in known if task.ended(0) is None) else {}
    by_run = {task.run_id: task for task in known if task.run_id}
    members = runs_of(store, found) if found is not None else _alone(store, list(by_run))
    told = [_of_run(store, member, by_run.get(member.run_id), states) for member in members]
    seen = {member.run_id for member in members}
    if found is None or is_study(found):
        told += [_of_task(task, states) for task in known if task.run_id not in seen]
    return sorted(told, key=lambda row: ORDER.index(row.state))


def _alone(store: Store, run_ids: Sequence[str]) -> list[Member]:
    """Single runs, those left out that this store does not know."""
    found = []
    for run_id in run_ids:
        with suppress(StoreError):
            found.append(find(store, run_id))
    return found


def _of_task(task: Task, states: Mapping[str, queue.State]) -> Row:
    """A job that has no run yet, or never had one."""
    ended, slurm, state = task.ended(0), task.slurm, _state(task, states)
    if ended is not None and isinstance(ended.error, Stopped):
        return Row(task.name, "stopped")
    if ended is not None and ended.error is not None:
        return Row(task.name, "failed", note=str(ended.error), tail=task.tail())
    if slurm is None:
        return Row(task.name, "starting")
    name = "starting" if state.runs else "queued" if state.active else "lost"
    reason = state.reason if name == "queued" else ""
    tail = task.tail() if name == "lost" else ""
    return Row(task.name, name, node=state.node, limit=state.left, note=reason, tail=tail)


def _of_run(store: Store, member: Member, task: Task | None, states: Mapping[str, queue.State]) -> Row:
    folder, state = store.root / "runs" / member.run_id, _state(task, states)
    # One that was ended to be queued again counts as KILLED until then.
    over = None if member.status == "KILLED" and state.active else OVER.get(member.status)
    name = over or _alive(folder, task, state)
    step, left = _progress(folder) if name == "running" else ("", "")
    metrics = _latest(folder) if member.status == RUNNING else member.metrics
    requeued = max(task.num_lives - 1, 0) if task is not None and task.slurm else 0
    error = member.tags.get("seedbed.error", "") if name == "failed" else ""
    return Row(
        member.name,
        name,
        step,
        next((f"{key} {metrics[key]:.4f}" for key in TOLD if key in metrics), ""),
        state.node or member.tags.get("seedbed.host", ""),
        left,
        state.left if name in ("running", "queued") else "",
        str(requeued or ""),
        error or (state.reason if name == "queued" else ""),
        task.tail() if task is not None and name in ("failed", "lost") else "",
    )


def _state(task: Task | None, states: Mapping[str, queue.State]) -> queue.State:
    slurm = task.slurm if task is not None else None
    return states.get(slurm["job_id"], queue.GONE) if slurm else queue.State("")


def _alive(folder: Path, task: Task | None, state: queue.State) -> str:
    """What has become of a run that the record has as RUNNING."""
    if task is not None and task.slurm:
        return "running" if state.runs else "queued" if state.active else "lost"
    return "running" if holder(folder) is not None else "lost"


def _progress(folder: Path) -> tuple[str, str]:
    """Steps of how many, and the time that the others take at this pace; empty before it is known."""
    path = folder / POSITION
    try:
        told = json.loads(path.read_text())
        step, num_steps, began = told["step"], told["num_steps"], told["began"]
        pace = (path.stat().st_mtime - began["time"]) / max(step - began["step"], 1)
    except (OSError, ValueError, KeyError):  # not there yet, or just being written
        return "", ""
    since = max(time.time() - path.stat().st_mtime, 0)
    return f"{step} of {num_steps}", duration(max((num_steps - step) * pace - since, 0))


def _latest(folder: Path) -> dict[str, float]:
    """The last value of each metric, which the store may not have yet."""
    return {point.name: point.value for point in Journal(folder).points()} if folder.exists() else {}


def is_gone(task: Task) -> bool:
    """Whether nobody works on it any more, although it may not have said how it ended."""
    if task.slurm is not None:
        try:
            return not _state(task, queue.states()).active
        except queue.QueueError:
            return False  # nobody knows
    folder = Path(task.job.config["track"]["root"]) / "runs" / str(task.run_id)
    return task.run_id is not None and holder(folder) is None


def onward(store: Store, found: Member | None) -> str:
    """What to type about a study that no command is at work on; empty: nothing, or it is over."""
    if found is None or not is_study(found) or found.status not in (RUNNING, "KILLED"):
        return ""
    if holder(store.root / "runs" / found.run_id) is not None:
        return ""
    command = found.tags.get("seedbed.command", "the same command")
    return f"No command waits for it. With the same code this one does, and goes on with it:\n  {command}"


def of_run(given: Sequence[Task], text: str) -> list[Task]:
    """The tasks of this run: its id, four characters or more of its beginning, or its name."""
    prefixed = [task for task in given if len(text) >= NUM_DIGITS and (task.run_id or "").startswith(text)]
    return prefixed or [task for task in given if task.name == text]


def everywhere(root: Path) -> list[Task]:
    """Every task of a store, oldest first."""
    return [*tasks(root), *(task for folder in (root / "runs").glob("*") for task in tasks(folder))]
