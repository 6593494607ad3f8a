"""One thing that was looked at in a record, and how it was found."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from seedbed.job import Job
from seedbed.track.store import Store
from seedbed.verdict.members import Member

# Below the store's folder: the data that came with the run in an archive.
UNPACKED_DATA = "seedbed.unpacked_data"
NUM_SHOWN = 5
State = Literal["ok", "wrong", "skipped"]


class Check(NamedTuple):
    """What one look at a record showed.

    Args:
        what: was looked at.
        state: ok, wrong, or skipped where it cannot be told from here.
        told: what was right, why it was skipped, or what is wrong: expected this, got that.
    """

    what: str
    state: State
    told: str

    def line(self) -> str:
        """For the terminal."""
        return f"{self.state:<8}{self.what}: {self.told}"


class Subject(NamedTuple):
    """A run that is looked at.

    Args:
        store: where it is.
        member: as the record has it.
        run: MLflow's own.
        files: what it keeps, by path.
    """

    store: Store
    member: Member
    run: Any
    files: Mapping[str, Path]

    @property
    def job(self) -> Job:
        """What ran."""
        return Job.load(self.files["job.json"])

    @property
    def num_epochs(self) -> int:
        """How many the run has finished: all, unless a search ended it early."""
        if self.member.status == "PRUNED":
            return int(self.member.tags["seedbed.pruned"].split()[1])
        return int(self.job.config["trainer"]["max_epochs"])


def judged(what: str, right: str, wrong: Sequence[str]) -> Check:
    """A check that found these faults.

    Args:
        what: was looked at.
        right: what is told where nothing is wrong.
        wrong: a fault each; of many the first are told.
    """
    if not wrong:
        return Check(what, "ok", right)
    more = f"; and {len(wrong) - NUM_SHOWN} more" if len(wrong) > NUM_SHOWN else ""
    return Check(what, "wrong", "; ".join(wrong[:NUM_SHOWN]) + more)


def compared(name: str, expected: object, got: object) -> list[str]:
    """A fault where two things differ that should not."""
    return [] if expected == got else [f"{name}: expected {expected}, got {got}"]
