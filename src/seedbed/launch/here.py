"""One run after the other, in this process."""

from collections.abc import Generator, Sequence
from pathlib import Path
from typing import final

from seedbed.job import Job
from seedbed.launch.devices import claim_for_good
from seedbed.launch.launcher import Hear, Launcher
from seedbed.launch.task import Ended


@final
class Here(Launcher):
    """Runs jobs in this process: the imports are paid once, an error keeps its trace."""

    @property
    def num_parallel(self) -> int:
        return 1

    def launch(self, jobs: Sequence[Job], folder: Path, hear: Hear) -> Generator[Ended]:
        del folder, hear  # of those who hand jobs on
        for number, job in enumerate(jobs):
            if self._held:
                return
            claim_for_good(job.config["trainer"])
            yield made(number, job)


def made(number: int, job: Job) -> Ended:
    """Makes a run of the job, and says how it ended."""
    from seedbed.train import run  # torch is imported here, once the config is known to be right

    try:
        outcome = run(job, job.config["track"]["run_id"])
    except Exception as error:  # noqa: BLE001 - whatever a job died of is told, not handled
        return Ended(number, error)
    return Ended(number, None, outcome._asdict())
