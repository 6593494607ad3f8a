"""Where a run takes place: a folder of code, and the interpreter with the packages that it needs."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from seedbed.errors import StoreError
from seedbed.reproduce.environment import interpreter
from seedbed.reproduce.recorded import Recorded
from seedbed.reproduce.worktree import HERE, worktree

# Also the verb's name in code of every later commit.
VERB = "rerun"


class Situation(NamedTuple):
    """A place for a process.

    Args:
        folder: its working directory.
        python: its interpreter.
        source: folder of modules that go before all others; None: those that are here.
    """

    folder: Path
    python: Path
    source: Path | None = None

    def command(self, *arguments: str) -> list[str]:
        """The verb that re-runs a saved job, as an argument list."""
        return [str(self.python), "-m", "seedbed", VERB, *arguments]

    def environment(self) -> dict[str, str]:
        """The variables of this process, with the code to import."""
        # As `seedbed train` sets it: threads that spin while they wait take the time of others.
        variables = {"OMP_WAIT_POLICY": "PASSIVE", **os.environ}
        if self.source is not None:
            known = variables.get("PYTHONPATH")
            variables["PYTHONPATH"] = os.pathsep.join([str(self.source), *([known] if known else [])])
        return variables


@contextmanager
def situation(original: Recorded, root: Path, *, here: bool) -> Iterator[Situation]:
    """The recorded code with the recorded packages, or what is here; gone again afterwards.

    Args:
        original: the record.
        root: folder of the record store, which keeps what was installed for the next time.
        here: the present code and packages in place of the recorded ones.

    Raises:
        StoreError: for code or packages that cannot be had.
    """
    if here:
        yield Situation(Path.cwd(), Path(sys.executable))
        return
    with worktree(original.tags.get("mlflow.source.git.commit", ""), original.diff, root) as folder:
        rebuilt = Situation(folder, interpreter(original.packages, root / "environments"), folder / "src")
        _check_verb(rebuilt)
        yield rebuilt


def _check_verb(rebuilt: Situation) -> None:
    """Refuses code that cannot re-run a saved job.

    Raises:
        StoreError: saying so, with the last line of what it said itself.
    """
    asked = subprocess.run(
        rebuilt.command("--help"),
        cwd=rebuilt.folder,
        env=rebuilt.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if asked.returncode:
        raise StoreError(
            "the recorded code",
            expected=f"one that can re-run a saved job (`seedbed {VERB}`)",
            got=(asked.stderr.strip().splitlines() or ["none"])[-1],
            do=HERE,
        )
