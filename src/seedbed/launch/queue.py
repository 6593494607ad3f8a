"""What the scheduler says and is told, in plain calls of its programs; no accounting is needed."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from seedbed.errors import ConfigError, SubmissionError

LIMIT_SECONDS = 60
# A job in any other state has ended. See squeue(1), JOB STATE CODES.
ACTIVE = (
    *("COMPLETING", "CONFIGURING", "PENDING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "RESIZING"),
    *("RESV_DEL_HOLD", "RUNNING", "SIGNALING", "SPECIAL_EXIT", "STAGE_OUT", "STOPPED", "SUSPENDED"),
)
# Number, state, nodes, time left, reason.
FORMAT = "%i|%T|%N|%L|%r"
NO_NODES = "Requested node configuration is not available"
PROGRAMS = ("sbatch", "squeue", "scontrol", "scancel", "sinfo", "srun")


class QueueError(Exception):
    """A program of the scheduler's that failed; the text is what it said."""


class State(NamedTuple):
    """Where a job is.

    Args:
        name: SLURM's word.
        node: where it runs; empty where it does not.
        left: time until its limit, as SLURM writes it.
        reason: why it waits or ended.
    """

    name: str
    node: str = ""
    left: str = ""
    reason: str = ""

    @property
    def active(self) -> bool:
        return self.name in ACTIVE

    @property
    def runs(self) -> bool:
        return self.active and self.name != "PENDING"


GONE = State("gone from the queue")


def states() -> dict[str, State]:
    """Every job of this user that the scheduler still knows, by number (`12` or `12_3`).

    Raises:
        QueueError: where it cannot be asked.
    """
    user = f"--user={os.getuid()}"
    told = asked("squeue", "--noheader", user, "--states=all", "--array", f"--format={FORMAT}")
    found = {}
    for line in told.splitlines():
        number, name, node, left, reason = line.split("|", 4)
        found[number] = State(name, node, left, reason)
    return found


def cancel(job_ids: Sequence[str], *options: str) -> None:
    """Ends jobs, those that have ended already excepted.

    Raises:
        QueueError: where the scheduler cannot be told.
    """
    if job_ids:
        asked("scancel", *options, *job_ids)


def requeue(job_id: str) -> None:
    """Queues a running job again; the scheduler ends its processes.

    Raises:
        QueueError: where it does not.
    """
    asked("scontrol", "requeue", job_id)


def asked(*command: str) -> str:
    """What a program answers.

    Raises:
        QueueError: where it fails, or does not answer within a minute.
    """
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LIMIT_SECONDS)
    except FileNotFoundError as error:
        raise QueueError(f"no program {command[0]}") from error
    except subprocess.TimeoutExpired as error:
        raise QueueError(f"{command[0]} does not answer within {LIMIT_SECONDS} s") from error
    if done.returncode:
        raise QueueError(done.stderr.strip() or f"{command[0]} ended with {done.returncode}")
    return done.stdout


def check_here() -> None:
    """Refuses a machine without SLURM's programs.

    Raises:
        ConfigError: naming those that are missing.
    """
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        raise ConfigError(
            "launch=slurm",
            expected=f"a machine with {', '.join(PROGRAMS)}",
            got=f"no {', '.join(missing)}",
            do="Start the command on a login node of the cluster, or leave launch=slurm out.",
        )


def test(flags: Mapping[str, str]) -> None:
    """Asks whether such a job would be taken, without submitting one.

    Args:
        flags: of sbatch, without their dashes.

    Raises:
        SubmissionError: with what sbatch says.
    """
    try:
        asked("sbatch", "--test-only", "--wrap=true", *(f"--{name}={value}" for name, value in flags.items()))
    except QueueError as error:
        # All down or drained, perhaps: sbatch queues the job, or says no itself.
        if NO_NODES not in str(error):
            raise refused(str(error), flags) from error


def refused(said: str, flags: Mapping[str, str] | None = None) -> SubmissionError:
    """A submission that failed.

    Args:
        said: by the scheduler's program.
        flags: of sbatch, without their dashes; None: it did not come to them.
    """
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    told = " ".join(f"--{name}={value}" for name, value in (flags or {}).items())
    return SubmissionError(
        "launch=slurm",
        expected="a scheduler that takes the job",
        got="; ".join(lines) or "no answer",
        do="Nothing was submitted. Correct the keys of launch, or try the same command again later."
        + (f" Asked for was {told}." if told else ""),
    )
