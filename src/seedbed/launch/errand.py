"""The program that carries out one task: `python -m seedbed.launch.errand FOLDER`."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from seedbed import lean
from seedbed.errors import SeedbedError, Stopped
from seedbed.job import Job
from seedbed.launch.task import Task

Adapt = Callable[[Job], Job]


def carry_out(task: Task, adapt: Adapt = lambda job: job) -> dict[str, Any]:
    """Makes the run of a task, or goes on with it.

    Args:
        task: with its job.
        adapt: puts the job under the circumstances of this machine.

    Returns:
        The outcome.

    Raises:
        BaseException: what the run raised.
    """
    from seedbed.train import run

    job = adapt(task.job)
    run_id = task.run_id or job.config["track"]["run_id"]
    finished = run_id and _finished(job, run_id)
    if finished:  # a process died between the end of its run and saying so
        return finished
    return run(job, run_id, begun=task.begun)._asdict()


def _finished(job: Job, run_id: str) -> dict[str, Any] | None:
    from seedbed.track.resumption import standing
    from seedbed.track.store import Store

    found = standing(Store.open(Path(job.config["track"]["root"]), may_be_away=True), run_id)
    if found.status != "FINISHED":
        return None
    latest = {point.name: point.value for point in sorted(found.points(), key=lambda point: point.step)}
    return {"run_id": run_id, "name": job.name, "metrics": latest, "pruned": False}


def main(folder: Path) -> int:
    """Carries the task out and says in its folder how it ended; the exit code."""
    task = Task(folder)
    try:
        task.close(carry_out(task))
    except BaseException as error:
        task.close(None, error)
        if isinstance(error, Stopped):
            return 128 + error.signal_number
        if not isinstance(error, SeedbedError):
            raise
        print(f"seedbed: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    lean.put_off()
    from seedbed.ranks.rank import die_with_parent

    die_with_parent()
    sys.exit(main(Path(sys.argv[1])))
