"""One job that is handed to another process, as its folder has it: what to do, and how it went."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from seedbed import errors
from seedbed.errors import SeedbedError, Stopped, TrainingError
from seedbed.job import Job
from seedbed.ranks.ending import Ending
from seedbed.track.telling import shown

JOB, RUN, ENDING, LIVES, SLURM, LOG = (
    "job.json",
    "run_id",
    "ending.json",
    "lives",
    "slurm.json",
    "log.txt",
)
# Lines of a log that say enough of a death.
NUM_LINES = 10
URI = "MLFLOW_TRACKING_URI"


class Ended(NamedTuple):
    """How a job ended.

    Args:
        number: of the job among those that were handed over.
        error: what it died of; None: it ended well.
        outcome: what a run that ended well left.
    """

    number: int
    error: BaseException | None = None
    outcome: Mapping[str, Any] | None = None


class Task:
    """A job in a folder that all machines see.

    Args:
        folder: the task's own.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def prepare(self, job: Job) -> None:
        """Puts the job in place, in the place of an earlier one of the same identity.

        A run of its own that was cut off goes on; which run of a study does, the study knows.
        """
        goes_on = self._cut_off(job)
        self.folder.mkdir(parents=True, exist_ok=True)
        for name in (ENDING, LIVES, SLURM, LOG, *([] if goes_on else [RUN])):
            (self.folder / name).unlink(missing_ok=True)
        job.save(self.folder / JOB)

    def _cut_off(self, job: Job) -> bool:
        """Whether the earlier job has a run that did not come to its end, in the same place of a store."""
        track, slurm = job.config["track"], self.slurm
        if slurm is None or self.run_id is None or track["parent_run_id"] or track["run_id"]:
            return False
        ended, same = self.ended(0), self.job.config["track"] == track
        return same and slurm.get("store") == _store() and (ended is None or ended.error is not None)

    @property
    def job(self) -> Job:
        return Job.load(self.folder / JOB)

    @property
    def run_id(self) -> str | None:
        """MLflow's id of the run, as soon as there is one."""
        return self.read(RUN)

    def begun(self, run_id: str) -> None:
        self.write(RUN, run_id)

    def live(self, host: str) -> int:
        """Notes that a process takes the job up; how often one did before."""
        with (self.folder / LIVES).open("a") as file:
            file.write(f"{host}\n")
        return self.num_lives - 1

    @property
    def num_lives(self) -> int:
        return len((self.read(LIVES) or "").splitlines())

    def close(self, outcome: Mapping[str, Any] | None, error: BaseException | None = None) -> None:
        """Says how the job ended: the last thing that its process does."""
        said = {"outcome": outcome} if error is None else {"error": Ending.by(error)._asdict()}
        self.write(ENDING, json.dumps(said))

    def ended(self, number: int) -> Ended | None:
        """How it ended; None while it has not said so."""
        text = self.read(ENDING)
        if text is None:
            return None
        said = json.loads(text)
        error = _raised(Ending(**said["error"]), self.name) if "error" in said else None
        return Ended(number, error, said.get("outcome"))

    def lost(self, number: int, got: str) -> Ended:
        """The ending of a job whose process is gone without a word."""
        ended = self.ended(number)  # it may have said it just now
        if ended is not None:
            return ended
        error = TrainingError(
            f"the process of {self.name}",
            expected="one that lives until the run has ended",
            got=got,
            do=f"{self._onward()} Its log is {self.log}.",
        )
        tail = self.tail()
        if tail:
            error.add_note(f"The last lines of its log:\n{tail}")
        return Ended(number, error)

    def _onward(self) -> str:
        if self.slurm and not self.num_lives:
            return (
                "It never began: launch.setup may have ended it. Mend that and give the same command again."
            )
        return "The same command again goes on from its last checkpoint."

    @property
    def name(self) -> str:
        """Of its run."""
        return self.job.name

    @property
    def slurm(self) -> dict[str, str] | None:
        """Number and log of its SLURM job; None where it has none."""
        text = self.read(SLURM)
        return None if text is None else dict(json.loads(text))

    def submitted(self, job_id: str, log: Path) -> None:
        self.write(SLURM, json.dumps({"job_id": job_id, "log": str(log), "store": _store()}))

    @property
    def log(self) -> Path:
        """Where its processes write what they print."""
        slurm = self.slurm
        return Path(slurm["log"]) if slurm else self.folder / LOG

    def tail(self) -> str:
        """The last lines of its log."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-NUM_LINES:])

    def read(self, name: str) -> str | None:
        try:
            return (self.folder / name).read_text()
        except FileNotFoundError:
            return None

    def write(self, name: str, text: str) -> None:
        """Whole or not at all."""
        partial = self.folder / f"{name}.{os.getpid()}.partial"
        partial.write_text(text)
        partial.replace(self.folder / name)


def tasks(folder: Path) -> list[Task]:
    """The tasks of a study, or of the single runs of a store, oldest first."""
    found = [path.parent for path in folder.glob(f"tasks/*/{JOB}")]
    return [Task(path) for path in sorted(found, key=lambda path: (path / JOB).stat().st_mtime_ns)]


def _store() -> str:
    """The address of the record store that this process was told of, for all to read; empty: none."""
    return shown(os.environ.get(URI, ""))


def _raised(ending: Ending, name: str) -> BaseException:
    """The error as the process raised it where it is one of ours, else a TrainingError; with its trace."""
    if ending.kind == "Stopped":
        return Stopped(ending.parts["signal_number"])
    if ending.parts:
        error: SeedbedError = getattr(errors, ending.kind)(**ending.parts)
    else:
        do = "Its trace is the artifact error.txt; the same command again tries it anew."
        error = TrainingError(name, expected="a run that ends well", got=ending.told, do=do)
    error.add_note(ending.trace)
    return error
