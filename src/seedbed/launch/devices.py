"""GPUs of this machine, each lent to one run at a time, whatever studies there are.

A lock file a GPU, in a folder of the user's: the system takes the lock back however its holder ends.
"""

import fcntl
import os
import re
import shutil
import stat
import subprocess
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from tempfile import gettempdir
from typing import Any

from seedbed.errors import ConfigError
from seedbed.terminal import console

VISIBLE = "CUDA_VISIBLE_DEVICES"
PATIENCE_SECONDS = 0.5


class Claim:
    """GPUs that nobody else has as long as this is not released and a process lives that was given it.

    Args:
        gpus: their names.
        files: the open files that carry the locks; a child that inherits them holds them, too.
    """

    def __init__(self, gpus: Sequence[str], files: Sequence[int]) -> None:
        self.gpus, self.files = list(gpus), list(files)

    def variables(self) -> dict[str, str]:
        """What a process is told, so that it sees these alone."""
        return {VISIBLE: ",".join(self.gpus)} if self.gpus else {}

    def release(self) -> None:
        for file in self.files:
            os.close(file)
        self.files = []


_kept: list[Claim] = []


def claim_for_good(trainer: Mapping[str, Any]) -> None:
    """Waits for GPUs and keeps them for this process: CUDA, once begun, takes no others."""
    wanted = num_wanted(trainer)
    if wanted <= sum(len(claim.gpus) for claim in _kept):
        return
    for claim in _kept:
        claim.release()
    _kept[:] = [waited(wanted)]
    os.environ |= _kept[0].variables()


def waited(number: int) -> Claim:
    """So many GPUs, as soon as they are free; says once that it waits."""
    claim = claimed(number)
    if claim is None:
        console().print(f"Waiting for {number} of the GPUs {', '.join(visible())}: other runs have them.")
    while claim is None:
        time.sleep(PATIENCE_SECONDS)
        claim = claimed(number)
    return claim


def num_wanted(trainer: Mapping[str, Any]) -> int:
    """How many GPUs a run takes to itself; processes beyond the number of GPUs share them."""
    return 0 if trainer["accelerator"] == "cpu" else min(trainer["devices"], len(visible()))


def claimed(number: int) -> Claim | None:
    """So many GPUs that are free; None where there are fewer."""
    claim = Claim([], [])
    for gpu in visible() if number else ():
        file = _locked(gpu)
        if file is not None:
            claim.gpus.append(gpu)
            claim.files.append(file)
        if len(claim.gpus) == number:
            break
    if len(claim.gpus) < number:
        claim.release()
        return None
    return claim


def visible() -> list[str]:
    """Names of the GPUs that this process may use, by their unique ids where the driver tells them."""
    known = _driver()
    told = os.environ.get(VISIBLE)
    if told is None:
        return known
    named = [name.strip() for name in told.split(",") if name.strip() not in ("", "-1", "NoDevFiles")]
    return [known[int(name)] if name.isdecimal() and int(name) < len(known) else name for name in named]


@cache
def _driver() -> list[str]:
    if shutil.which("nvidia-smi") is None:
        return []
    done = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=False)
    return re.findall(r"UUID: (GPU-[\w-]+)\)", done.stdout)


def _locked(gpu: str) -> int | None:
    """The open file that carries the GPU's lock; None where another process has it."""
    name = re.sub(r"[^\w-]", "_", gpu)
    file = os.open(_folder() / f"{name}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return None
    return file


def _folder() -> Path:
    """A folder of this user's on this machine, the same from every shell."""
    folder = Path(gettempdir()) / f"seedbed-{os.getuid()}" / "gpus"
    folder.parent.mkdir(mode=0o700, exist_ok=True)
    owner = folder.parent.lstat()
    if owner.st_uid != os.getuid() or not stat.S_ISDIR(owner.st_mode):
        raise ConfigError(
            str(folder.parent),
            expected="a folder of yours, for the locks of GPUs",
            got="somebody else's",
            do="Have it removed, or set TMPDIR to another folder.",
        )
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder
