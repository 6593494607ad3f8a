"""One process a run: a lock that the system takes back however its holder ends."""

import errno
import fcntl
import os
import struct
from pathlib import Path

from seedbed.errors import StoreError

# What a file system says that knows no locks: there nobody can tell, and nobody is refused.
NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)
LOCK = "lock"
# The system's `struct flock`: kind, whence, start, length, process (Linux, fcntl(2)).
FLOCK = "hhqqi4x"
# What this process holds: to look at one again would, by the rules of POSIX locks, let go of it.
HELD: set[Path] = set()


def is_left(folder: Path) -> bool:
    """Whether the run of this folder is not over for good: it goes on, or its process died."""
    return (folder / LOCK).exists()


class Hold:
    """The right to write to a run.

    A run whose process was killed still counts as RUNNING in the store; whether somebody is at work
    on it is told by this lock alone. A POSIX lock, because forked workers do not inherit it.

    Args:
        folder: the run's local folder.

    Raises:
        StoreError: where another process has it.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / LOCK
        self._file: int | None = os.open(self.path, os.O_RDWR | os.O_CREAT)
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            HELD.add(self.path)
        except OSError as error:
            if error.errno in NO_LOCKS:
                return
            self._close()
            if error.errno not in (errno.EACCES, errno.EAGAIN):
                raise
            raise StoreError(
                f"run {folder.name}",
                expected="a run that no process is at work on",
                got="one that another process writes to",
                do="Let it end, or end it, then start again.",
            ) from error

    def release(self, *, forget: bool) -> None:
        """Lets go; a second time does nothing.

        Args:
            forget: the run is over for good, so that the file goes too.
        """
        if self._file is not None and forget:
            self.path.unlink(missing_ok=True)
        HELD.discard(self.path)
        self._close()

    def _close(self) -> None:
        if self._file is not None:
            os.close(self._file)
        self._file = None


def holder(folder: Path) -> int | None:
    """The process of this machine that writes to the run in this folder; 0: one of another machine.

    Never asked by the holder itself, whose lock would end with the question.

    Returns:
        Its number; None where there is none.
    """
    try:
        file = os.open(folder / "lock", os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        asked = struct.pack(FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        kind, _, _, _, process = struct.unpack(FLOCK, fcntl.fcntl(file, fcntl.F_GETLK, asked))
    except OSError as error:
        if error.errno in (*NO_LOCKS, errno.EINVAL):
            return None
        raise
    finally:
        os.close(file)
    if kind == fcntl.F_UNLCK:
        return None
    return int(process) if Path(f"/proc/{process}").exists() else 0
