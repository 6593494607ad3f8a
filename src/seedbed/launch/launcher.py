"""What a study and a single run know of whoever makes their runs."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from seedbed.errors import ConfigError
from seedbed.job import Job
from seedbed.launch.task import Ended

# Least values of keys.
LEAST = {"num_parallel": 1, "array_parallelism": 1, "timeout_minutes": 1, "num_members": 2, "num_proposed": 1}
# Told while jobs are waited for: one line of where they are.
Hear = Callable[[str], None]


class Launcher(ABC):
    """Makes runs of jobs.

    Args:
        keys: the resolved group `launch`.
    """

    def __init__(self, keys: Mapping[str, Any]) -> None:
        self.keys = keys
        self._held = False

    @property
    @abstractmethod
    def num_parallel(self) -> int:
        """How many runs it makes at a time at most."""

    def check(self, job: Job) -> None:
        """Refuses what cannot work, before anything is recorded.

        Args:
            job: one of those that are to be launched.

        Raises:
            SeedbedError: saying why.
        """
        del job

    def told(self, jobs: Sequence[Job]) -> Iterator[str]:
        """What a plan says of how these jobs would be launched, line by line; mostly nothing."""
        del jobs
        yield from ()

    @abstractmethod
    def launch(self, jobs: Sequence[Job], folder: Path, hear: Hear) -> Generator[Ended]:
        """Makes a run of each, and says of each how it ended, in the order in which they do.

        Args:
            jobs: resolved; each goes on in the run of its `track.run_id`, if it names one.
            folder: of the study, or of the store for a single run.
            hear: told of where they are.

        Raises:
            Stopped: where a signal ended them all.
            Detached: where a signal ended the waiting and not the jobs.
        """

    def hold(self) -> None:
        """Starts no more of the jobs; those that run go on to their end."""
        self._held = True


def launcher_of(kind: str, keys: Mapping[str, Any]) -> Launcher:
    """The launcher that was chosen.

    Args:
        kind: option of the group `launch`.
        keys: the resolved group.

    Raises:
        ConfigError: for a value that cannot work.
    """
    for key, least in LEAST.items():
        check_number(keys, key, least)
    if kind == "stacked":
        from seedbed.launch.stacked import Stacked

        return Stacked(keys)
    if kind == "slurm":
        from seedbed.launch.slurm import Slurm

        return Slurm(keys)
    if keys["num_parallel"] == 1:
        from seedbed.launch.here import Here

        return Here(keys)
    from seedbed.launch.local import Local

    return Local(keys)


def check_number(keys: Mapping[str, Any], key: str, least: int) -> None:
    """Refuses a number below the least.

    Raises:
        ConfigError: naming the key.
    """
    if key in keys and keys[key] < least:
        raise ConfigError(
            f"launch.{key}", expected=f"{least} or more", got=str(keys[key]), do="Choose a larger number."
        )
