"""Runs that end by SIGKILL at a chosen moment, in a process of their own.

The processes are forked from a server that has paid for the imports and has no threads.
"""

import importlib
import multiprocessing
import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mlflow import MlflowClient

from seedbed.job import Job

LIMIT_SECONDS = 240
SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload(["tests.preloaded"])


class Moment(NamedTuple):
    """Just before the n-th call of something.

    Args:
        module: where it is looked up.
        name: of the function, or `Class.method`.
        call: which call, from 1.
    """

    module: str
    name: str
    call: int = 1


def killed(job: Job, moment: Moment, run_id: str | None = None) -> str:
    """Runs the job until the moment; the id of the run that it leaves behind."""
    assert ended(job, [moment], moment.call, run_id) == -signal.SIGKILL, f"{moment} never came"
    return run_id or only_run(job)


def ended(
    job: Job,
    moments: Sequence[Moment] = (),
    call: int = 1,
    run_id: str | None = None,
    seconds: float = LIMIT_SECONDS,
) -> int | None:
    """Exit code of a process that runs the job until this call of any of these, or so long."""
    process = SERVER.Process(target=work, args=(job, moments, call, run_id))
    process.start()
    process.join(seconds)
    process.kill()  # nothing, where it has ended
    process.join()
    return process.exitcode


def only_run(job: Job) -> str:
    """The one run of the job's experiment."""
    (run_id,) = runs(job)
    return run_id


def runs(job: Job) -> list[str]:
    """The runs of the job's experiment, of which a process that died early may have made none."""
    track = job.config["track"]
    if not Path(track["root"], "mlflow.db").exists():
        return []
    client = MlflowClient(f"sqlite:///{track['root']}/mlflow.db")
    experiment = client.get_experiment_by_name(track["experiment"])
    found = client.search_runs([experiment.experiment_id]) if experiment else []
    return [str(run.info.run_id) for run in found]


def work(job: Job, moments: Sequence[Moment], call: int, run_id: str | None) -> None:
    """The process."""
    count = Counter(call)
    for moment in moments:
        count.patch(moment)
    from seedbed.train import run

    run(job, run_id)


class Counter:
    """Calls over all patched functions, up to the one that never returns."""

    def __init__(self, last: int) -> None:
        self.left = last

    def patch(self, moment: Moment) -> None:
        owner: Any = importlib.import_module(moment.module)
        *path, name = moment.name.split(".")
        for part in path:
            owner = getattr(owner, part)
        setattr(owner, name, self._counted(getattr(owner, name)))

    def _counted(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **keywords: Any) -> Any:
            self.left -= 1
            if not self.left:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*arguments, **keywords)

        return call
