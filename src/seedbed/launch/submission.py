"""Tasks handed to sbatch through submitit, as one array; all of them or none."""

import copy
import os
import shlex
import shutil
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

from seedbed.errors import SeedbedError
from seedbed.job import Job
from seedbed.launch import queue
from seedbed.launch.snapshot import Snapshot, snapshot
from seedbed.launch.task import URI, Task
from seedbed.stopping import SIGNALS

# Keys of a job that hold a folder, which may be named from the working directory.
FOLDERS = (("track", "root"), ("data", "root"), ("data", "cache_dir"))
# The signal to save and queue again must neither kill Python while it starts nor be lost: it waits,
# blocked, until the task has a handler. Where `env` is too old to block it, it is ignored so long.
PATIENT = (
    """sh -c 'trap "" USR2; block="env --default-signal=USR2 --block-signal=USR2"; """
    """$block true 2>/dev/null && exec $block "$0" "$@"; exec "$0" "$@"' """
)
Given = Sequence[tuple[Task, Job]]


def submit(given: Given, flags: Mapping[str, str], keys: Mapping[str, Any], folder: Path) -> None:
    """Hands tasks to the scheduler; where it refuses, nothing is left that says otherwise.

    Args:
        given: tasks that no queued job has, with their jobs.
        flags: of sbatch, without their dashes.
        keys: the resolved group `launch`.
        folder: where logs go.

    Raises:
        SubmissionError: with what sbatch says.
    """
    from submitit.core.utils import FailedJobError, FailedSubmissionError

    place, tasks = folder / "slurm" / uuid4().hex[:8], [task for task, _ in given]
    earlier = place / "earlier"
    try:
        root = Path(given[0][1].config["track"]["root"]).absolute()
        code = snapshot(root, Path.cwd().resolve())
        _keep(tasks, earlier)
        for task, job in given:
            task.prepare(placed(job))
        _hand_over(tasks, _executor(place, flags, keys, code))
        shutil.rmtree(earlier)
    except (FailedJobError, FailedSubmissionError, SeedbedError) as error:
        if earlier.exists():
            _bring_back(tasks, earlier)
        shutil.rmtree(place, ignore_errors=True)
        raise error if isinstance(error, SeedbedError) else queue.refused(str(error), flags) from error


def _keep(tasks: Sequence[Task], earlier: Path) -> None:
    """Copies what earlier jobs of the same identity have left: it counts until others are in the queue."""
    earlier.mkdir(parents=True)
    for task in tasks:
        if task.folder.exists():
            shutil.copytree(task.folder, earlier / task.folder.name)


def _bring_back(tasks: Sequence[Task], earlier: Path) -> None:
    for task in tasks:
        shutil.rmtree(task.folder, ignore_errors=True)
        if (earlier / task.folder.name).exists():
            (earlier / task.folder.name).rename(task.folder)


def placed(job: Job) -> Job:
    """The job with every folder named from the root: it runs in another one."""
    config = copy.deepcopy(job.config)
    for group, name in FOLDERS:
        if config[group].get(name) is not None:
            config[group][name] = str(Path(config[group][name]).expanduser().absolute())
    return replace(job, config=config)


def _executor(place: Path, flags: Mapping[str, str], keys: Mapping[str, Any], code: Snapshot) -> Any:
    """submitit's, told what each job asks for."""
    from submitit import SlurmExecutor

    executor = SlurmExecutor(place, python=f"{PATIENT}{shlex.quote(sys.executable)}")
    executor.update_parameters(
        job_name="seedbed",
        time=keys["timeout_minutes"],
        array_parallelism=keys["array_parallelism"],
        signal_delay_s=keys["warning_seconds"],
        stderr_to_stdout=True,
        setup=[*keys["setup"], *_entering(code)],
        srun_args=[f"--cpus-per-task={flags['cpus-per-task']}", "--open-mode=append"],
        additional_parameters=dict(flags) | {"requeue": True},
    )
    return executor


def _entering(code: Snapshot) -> list[str]:
    """Shell lines by which a job works in the snapshot, after what the user asked for."""
    told = [f"export {name}={shlex.quote(value)}" for name, value in code.variables().items()]
    return [f"cd {shlex.quote(str(code.cwd))}", "unset PYTHONDONTWRITEBYTECODE", *told]


def _hand_over(tasks: Sequence[Task], executor: Any) -> None:
    from seedbed.launch.node import carry

    # A Ctrl-C between the submission and its note would leave jobs that nobody knows.
    held = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        with redirect_stderr(StringIO()), _absolute_uri():  # what sbatch says is in the error
            submitted = executor.map_array(carry, [str(task.folder) for task in tasks])
        for task, job in zip(tasks, submitted, strict=True):
            task.submitted(job.job_id, job.paths.stdout)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)


@contextmanager
def _absolute_uri() -> Iterator[None]:
    """The environment that sbatch passes on, with no address named from the working directory."""
    uri = os.environ.get(URI, "")
    if uri.startswith("sqlite:///"):
        os.environ[URI] = f"sqlite:///{Path(uri.removeprefix('sqlite:///')).absolute()}"
    try:
        yield
    finally:
        if uri:
            os.environ[URI] = uri
