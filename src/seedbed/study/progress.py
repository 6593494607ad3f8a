"""What a study says while it runs: a line a finished run, and one live line with the time left."""

import time

from rich.progress import BarColumn, MofNCompleteColumn, TextColumn

from seedbed.terminal import duration, live
from seedbed.verdict.members import Member

TOLD = ("test/accuracy", "best_val/loss", "best_val/accuracy", "train/loss")


class StudyProgress:
    """Counts the runs of a study.

    Args:
        num_runs: how many there are, as far as is known.
        seconds_a_run: expected from earlier runs; None: not known.
    """

    def __init__(self, num_runs: int, seconds_a_run: float | None) -> None:
        self.num_runs, self.num_done, self.num_failed = num_runs, 0, 0
        self._expected, self._num_made, self._heard = seconds_a_run, 0, ""
        self._began = self._first_ended = time.monotonic()
        self._bar = live(
            TextColumn("study"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[told]}")
        )
        self._task = self._bar.add_task("study", total=num_runs, told="")

    def start(self) -> None:
        self._bar.start()

    def stop(self) -> None:
        self._bar.stop()

    def hear(self, told: str) -> None:
        """Where the runs are that are not done, beside the count of those that are."""
        self._heard = f"; {told}" if told else ""
        self._show()

    def _show(self) -> None:
        failed = f", {self.num_failed} failed" if self.num_failed else ""
        told = f"{self._left()}{failed}{self._heard}"
        self._bar.update(self._task, completed=self.num_done, total=self.num_runs, told=told)

    def more(self, num_runs: int) -> None:
        """Makes room for runs that were not foreseen."""
        self.num_runs = max(self.num_runs, self.num_done + num_runs)

    def done(self, member: Member, *, made: bool) -> str:
        """Notes a run and says so: the line to print."""
        self.num_done += 1
        self._num_made += made
        if made and self._num_made == 1:
            self._first_ended = time.monotonic()
        self.num_failed += made and member.status not in ("FINISHED", "PRUNED")
        self._show()
        width = len(str(self.num_runs))
        return f"[{self.num_done:{width}}/{self.num_runs}] {member.name}: {_outcome(member)}{self._left()}"

    def _left(self) -> str:
        remaining = self.num_runs - self.num_done
        seconds = self._expected
        if self._num_made > 1:  # the first also paid for the imports
            seconds = (time.monotonic() - self._first_ended) / (self._num_made - 1)
        elif self._num_made and seconds is None:
            seconds = self._first_ended - self._began
        return f"; about {duration(remaining * seconds)} left" if remaining > 0 and seconds else ""


def _outcome(member: Member) -> str:
    if member.status == "PRUNED":
        return f"pruned, {member.tags['seedbed.pruned']}"
    if member.status != "FINISHED":
        return f"{member.status}, {member.tags.get('seedbed.error', 'see its error.txt')}"
    told = [f"{name} {member.metrics[name]:.4f}" for name in TOLD if name in member.metrics]
    return ", ".join(told[:2]) or "finished"
