"""Jobs of a cluster, waited for: what they say in their folders, and what the scheduler says of them."""

import signal
import time
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence, Set
from pathlib import Path

from seedbed.errors import Detached, Stopped, StoreError
from seedbed.launch import queue
from seedbed.launch.launcher import Hear
from seedbed.launch.task import Ended, Task
from seedbed.manual import command_line
from seedbed.terminal import counted

POLL_SECONDS = 0.5
# Between two questions to the scheduler: from the first to the last, while nothing happens.
ASK_SECONDS = (2.0, 30.0)
# A job that is gone may have said how it ended on a file system that is slow to show it.
NUM_LOOKS = 2
# How long the scheduler may be away.
PATIENCE_SECONDS = 15 * 60


class Waiting:
    """Tasks whose jobs are on a cluster.

    Args:
        tasks: by number.
        folder: of the study, or of the store for a single run.
        hear: told where the jobs are.
    """

    def __init__(self, tasks: Mapping[int, Task], folder: Path, hear: Hear) -> None:
        self.tasks, self.folder, self.hear = dict(tasks), folder, hear
        self._num_tasks = len(tasks)
        self._looks: Counter[int] = Counter()
        self._every, self._next = ASK_SECONDS[0], 0.0
        self._answered = time.monotonic()
        self._running = 0

    def endings(self, held: Callable[[], bool]) -> Generator[Ended]:
        """How each job ended, as soon as it has.

        Args:
            held: whether those that wait in the queue are to be given up.

        Raises:
            Detached: where a signal ended the waiting.
            StoreError: where the scheduler is away for a quarter of an hour.
        """
        try:
            while self.tasks:
                yield from self._said()
                if time.monotonic() >= self._next:
                    yield from self._lost(held())
                time.sleep(POLL_SECONDS)
        except Stopped as stopped:
            raise Detached(stopped.signal_number, self._onward(stopped.signal_number)) from None

    def _said(self) -> Generator[Ended]:
        for number, task in list(self.tasks.items()):
            ended = task.ended(number)
            if ended is not None:
                yield self._done(ended)

    def _done(self, ended: Ended) -> Ended:
        del self.tasks[ended.number]
        self._every = ASK_SECONDS[0]
        self._tell()
        return ended

    def _lost(self, held: bool) -> Generator[Ended]:
        """Jobs that are gone without a word."""
        states = self._asked()
        if states is None:
            return
        if held:
            self._give_up(states)
        for number, task in list(self.tasks.items()):
            state = self._state(task, states)
            self._looks[number] = 0 if state.active else self._looks[number] + 1
            if self._looks[number] >= NUM_LOOKS:
                slurm = task.slurm or {}
                told = f"{state.name} without a word (SLURM job {slurm.get('job_id', '?')})"
                yield self._done(task.lost(number, told))
        running = sum(self._state(task, states).runs for task in self.tasks.values())
        self._every = ASK_SECONDS[0] if running != self._running else min(self._every * 1.5, ASK_SECONDS[1])
        if any(self._looks.values()):
            self._every = ASK_SECONDS[0]
        self._next = time.monotonic() + self._every
        self._running = running
        self._tell()

    @staticmethod
    def _state(task: Task, states: Mapping[str, queue.State]) -> queue.State:
        return states.get((task.slurm or {}).get("job_id", ""), queue.GONE)

    def _give_up(self, states: Mapping[str, queue.State]) -> None:
        waiting = {
            number: task.slurm["job_id"]
            for number, task in self.tasks.items()
            if task.slurm and self._state(task, states).name == "PENDING" and not task.num_lives
        }
        queue.cancel(list(waiting.values()), "--state=PENDING")
        for number in waiting:
            del self.tasks[number]

    def _asked(self) -> dict[str, queue.State] | None:
        """What the scheduler says; None while it is away, which ends no job."""
        try:
            states = queue.states()
        except queue.QueueError as error:
            self._next = time.monotonic() + self._every
            if time.monotonic() - self._answered > PATIENCE_SECONDS:
                raise StoreError(
                    "the scheduler",
                    expected=f"an answer within {PATIENCE_SECONDS // 60} minutes",
                    got=str(error),
                    do="Its jobs may go on all the same; the same command waits for them again.",
                ) from error
            return None
        self._answered = time.monotonic()
        return states

    def _tell(self) -> None:
        ended = self._num_tasks - len(self.tasks)
        self.hear(f"{len(self.tasks) - self._running} queued, {self._running} running, {ended} ended")

    def _onward(self, signal_number: int) -> str:
        """What is left behind, and what to type about it."""
        left = f"{len(self.tasks)} of {counted(self._num_tasks, 'job')} go on in the queue"
        if signal_number == signal.SIGTERM:  # how `seedbed cancel` begins
            left += ", unless seedbed cancel is ending them, too"
        return f"no longer waiting; {left}. {_handles(self.folder)}; the same command waits for them again"


def waited_for(tasks: Mapping[int, Task], found: Set[int], folder: Path) -> str:
    """What is submitted, what was before, and what to type about it.

    Args:
        tasks: by number.
        found: numbers of those that an earlier command has submitted.
        folder: of the study, or of the store for a single run.
    """
    parts = {
        "Submitted: {}.": [task for number, task in tasks.items() if number not in found],
        "In the queue already, as an earlier command asked for it: {}.": [tasks[number] for number in found],
    }
    told = [text.format(_named(given)) for text, given in parts.items() if given]
    return " ".join([*told, f"Ctrl-C only ends the waiting. {_handles(folder)}."])


def _named(given: Sequence[Task]) -> str:
    """How many jobs, and their numbers; an array has one."""
    numbers = dict.fromkeys(slurm["job_id"].partition("_")[0] for task in given if (slurm := task.slurm))
    return f"{counted(len(given), 'job')} (SLURM {', '.join(numbers)})"


def _handles(folder: Path) -> str:
    """What to type about the jobs of a study, or of a store's single runs."""
    of_study = folder.parent.name == "runs"
    root = folder.parents[1] if of_study else folder
    named = "mlruns" if root == Path("mlruns").absolute() else str(root)
    status, cancel = (
        command_line(verb, folder.name[:8] if of_study else "", named) for verb in ("status", "cancel")
    )
    return f"Look at them: {status}; end them: {cancel}"
