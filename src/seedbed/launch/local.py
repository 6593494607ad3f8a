"""Several runs at a time on this machine, each in a process of its own, each GPU with one run."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, final

from seedbed.errors import Stopped
from seedbed.job import Job
from seedbed.launch.devices import Claim, claimed, num_wanted
from seedbed.launch.launcher import Hear, Launcher
from seedbed.launch.task import Ended, Task

PROGRAM = "seedbed.launch.errand"
POLL_SECONDS = 0.1
# Time that processes have to finish their step and save, once they were told to stop.
SHUTDOWN_SECONDS = 90


class Running(NamedTuple):
    """A process at work.

    Args:
        number: of the job.
        task: what it does.
        process: that does it.
        claim: its GPUs.
    """

    number: int
    task: Task
    process: subprocess.Popen[bytes]
    claim: Claim

    def ended(self) -> Ended | None:
        """How it ended; None while it lives."""
        code = self.process.poll()
        if code is None:
            return None
        self.claim.release()
        told = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        return self.task.lost(self.number, f"{told} without a word")


@final
class Local(Launcher):
    """Runs jobs in processes, each started from its saved job: a run that fails ends alone.

    A process dies with this one, however this one ends, and its ranks with it.
    """

    @property
    def num_parallel(self) -> int:
        return int(self.keys["num_parallel"])

    def launch(self, jobs: Sequence[Job], folder: Path, hear: Hear) -> Generator[Ended]:
        waiting, running = list(enumerate(jobs)), list[Running]()
        with _ending_together(running):
            while (waiting and not self._held) or running:
                while waiting and not self._held and len(running) < self.num_parallel:
                    claim = claimed(num_wanted(waiting[0][1].config["trainer"]))
                    if claim is None:
                        break
                    running.append(_started(*waiting.pop(0), folder, claim))
                hear(f"{len(running)} running, {len(waiting)} waiting")
                time.sleep(POLL_SECONDS)
                for one in list(running):
                    ended = one.ended()
                    if ended is not None:
                        running.remove(one)
                        yield ended


def _started(number: int, job: Job, folder: Path, claim: Claim) -> Running:
    from seedbed.recording import job_signature

    task = Task(folder / "tasks" / job_signature(job))
    task.prepare(job)
    with task.log.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", PROGRAM, str(task.folder)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=os.environ | claim.variables(),
            pass_fds=claim.files,
            process_group=0,  # a terminal's Ctrl-C comes to us alone, and once from us to it
        )
    return Running(number, task, process, claim)


@contextmanager
def _ending_together(running: list[Running]) -> Iterator[None]:
    """Whatever ends this process's part, ends the others: told to stop first, so that they save."""
    try:
        yield
    finally:
        for one in running:
            one.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + SHUTDOWN_SECONDS
        for one in running:
            try:
                one.process.wait(max(deadline - time.monotonic(), 0))
            except (subprocess.TimeoutExpired, Stopped):  # a second Ctrl-C does not wait
                deadline = 0
                one.process.kill()
                one.process.wait()
            one.claim.release()
