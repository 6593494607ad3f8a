"""Room on the disk: what a run keeps back of it, and what is said where there is no more."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from seedbed.errors import StoreError

# What a system says whose disk, or whose user's share of it, is full.
FULL = (errno.ENOSPC, errno.EDQUOT)
# Bytes kept back: the trace of an error, and some pages of the database, twice.
NUM_RESERVED = 1 << 18


def keep_back(folder: Path) -> None:
    """Takes room, where there is some, so that a run that finds none later can still say so."""
    with suppress(OSError):
        (folder / "reserve").write_bytes(bytes(NUM_RESERVED))


def give_back(folder: Path) -> None:
    """Gives the room to whoever writes next; a second time does nothing."""
    (folder / "reserve").unlink(missing_ok=True)


def no_room(path: Path | str, got: str) -> StoreError:
    """What is said of a file that the disk does not take."""
    return StoreError(
        str(path),
        expected="room on the disk",
        got=got,
        do="Free space, then go on: `seedbed resume` for a run of its own, the same command for a study.",
    )


@contextmanager
def told_of_room() -> Iterator[None]:
    """Turns the error of a full disk, wherever it is met, into one paragraph."""
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise no_room(error.filename or "a file", str(error.strerror)) from error
