"""Runs that end by SIGKILL at a chosen moment, in a process of their own.

The processes are forked from a server that has paid for the imports and has no threads.
"""

import importlib
import multiprocessing
import os
import signal
from collections.abc import Callable
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


def ended(job: Job, moments: list[Moment], call: int, run_id: str | None = None) -> int | None:
    """Exit code of a process that runs the job until this call of any of these."""
    process = SERVER.Process(target=work, args=(job, moments, call, run_id))
    process.start()
    process.join(LIMIT_SECONDS)
    process.kill()  # nothing, where it has ended
    return process.exitcode


def only_run(job: Job) -> str:
    """The one run in the job's store."""
    client = MlflowClient(f"sqlite:///{job.config['track']['root']}/mlflow.db")
    (experiment,) = [found for found in client.search_experiments() if found.name == "seedbed"]
    (found,) = client.search_runs([experiment.experiment_id])
    return str(found.info.run_id)


def work(job: Job, moments: list[Moment], call: int, run_id: str | None) -> None:
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
