"""What a member of an archive may be: a plain file that stays where it is put, and not too much of it."""

import re
import stat
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple
from zipfile import ZIP_STORED, ZipInfo

from seedbed.errors import StoreError

MAX_NAME_BYTES, MAX_PART_BYTES = 512, 255
ENCRYPTED = 0x1
# No backslash, drive, control character or broken one, whatever the system that reads it makes of them.
NAME = re.compile(r"(?![A-Za-z]:)[^\\\x00-\x1f\x7f\ud800-\udfff]+")


class Bounds(NamedTuple):
    """The most that an archive may hold, its manifest included: bytes in all, in one member, and members."""

    total: int = 2**32 - 2**24
    single: int = 2**31
    members: int = 50_000


BOUNDS = Bounds()


def refused(path: Path, expected: str, got: str) -> StoreError:
    """What is said of an archive that is not read."""
    return StoreError(
        f"archive {path}",
        expected=expected,
        got=got,
        do="Nothing was written. Have it packed or sent again.",
    )


def checked(path: Path, listed: Sequence[ZipInfo], bounds: Bounds) -> dict[str, ZipInfo]:
    """The members by name: plain files of safe names, each once, no more than the bounds.

    Args:
        path: the archive.
        listed: as it lists its members.
        bounds: more is refused.

    Raises:
        StoreError: naming the member.
    """
    for entry in listed:
        _check_entry(path, entry)
    names = [entry.filename for entry in listed]
    _check_names(path, names)
    check_bounds(path, [entry.file_size for entry in listed], bounds, "Nothing was written.")
    size = path.stat().st_size
    if sum(entry.file_size for entry in listed) > size:
        raise refused(path, f"at most its own {size} bytes", "members that overlap")
    return dict(zip(names, listed, strict=True))


def _check_entry(path: Path, entry: ZipInfo) -> None:
    if not is_safe(entry.orig_filename):
        raise refused(path, "names of files below it", repr(entry.orig_filename))
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        raise refused(path, "plain files", f"{entry.filename}, a link, folder or device")
    if entry.flag_bits & ENCRYPTED or entry.compress_type != ZIP_STORED:
        raise refused(path, "plain files", f"{entry.filename}, compressed or encrypted")
    if entry.file_size != entry.compress_size:
        raise refused(path, "plain files", f"{entry.filename}, of two sizes")


def is_safe(name: str) -> bool:
    r"""Whether a member of this name stays below the folder that it is read into, on every system.

    Example:
        >>> [is_safe(name) for name in ("a/b.txt", "../b", "/b", "a//b", "a\\b", "C:b", "a/./b", "")]
        [True, False, False, False, False, False, False, False]
    """
    parts = name.split("/")
    if not NAME.fullmatch(name) or len(name.encode()) > MAX_NAME_BYTES:
        return False
    return not any(
        part in ("", ".", "..") or len(part.encode(errors="replace")) > MAX_PART_BYTES for part in parts
    )


def _check_names(path: Path, names: Sequence[str]) -> None:
    """Refuses a name that is there twice, or that is a file and a folder at once."""
    folders = {str(parent) for name in names for parent in PurePosixPath(name).parents}
    if len(set(names)) < len(names):
        raise refused(path, "each member once", f"{next(n for n in names if names.count(n) > 1)} again")
    if folders & set(names):
        raise refused(path, "each member once", f"{min(folders & set(names))} as a file and as a folder")


def check_bounds(path: Path, sizes: list[int], bounds: Bounds, do: str) -> None:
    """Refuses more than the bounds.

    Args:
        path: the archive.
        sizes: of its members, in bytes.
        bounds: the most there may be.
        do: the next thing to do.
    """
    limits = (
        (len(sizes), bounds.members, "members"),
        (max(sizes, default=0), bounds.single, "bytes in a member"),
        (sum(sizes), bounds.total, "bytes"),
    )
    for number, most, unit in limits:
        if number > most:
            raise StoreError(f"archive {path}", expected=f"at most {most} {unit}", got=str(number), do=do)
