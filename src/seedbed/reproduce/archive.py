"""The archive: a zip file of plain members, none compressed, with the digest of each in `MANIFEST.json`.

A reader trusts nothing of it. Every name, kind, size and digest is checked, and all of it is read into
a folder that is thrown away, before anything is made of it. Because nothing is compressed, no archive
can hold more than its own size. The same members give the same bytes.
"""

import hashlib
import json
import shutil
import stat
import struct
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any
from zipfile import ZIP_STORED, BadZipFile, LargeZipFile, ZipFile, ZipInfo

from seedbed.errors import StoreError
from seedbed.reproduce.entries import BOUNDS, MAX_NAME_BYTES, Bounds, check_bounds, checked, is_safe, refused
from seedbed.track.manifest import described

FORMAT, VERSION, MANIFEST = "seedbed archive", 1, "MANIFEST.json"
# The earliest that a zip file can say, so that no clock is in the bytes.
STAMP = (1980, 1, 1, 0, 0, 0)
# A zip file's last record, APPNOTE.TXT 6.3.10, section 4.3.16: it says how much there is to read.
END = struct.Struct("<4s4H2LH")
ENTRY_BYTES = 46
# Section 4.3.15: with it before the end, other numbers would count than those that are checked.
LOCATOR, LOCATOR_BYTES = b"PK\x06\x07", 20
MAX_MANIFEST_BYTES = 2**26
CHUNK = 1 << 20


def write(out: Path, members: Mapping[str, Path], head: Mapping[str, Any], bounds: Bounds = BOUNDS) -> None:
    """Writes an archive whole or not at all.

    Args:
        out: the file; none of the name may be there.
        members: name to local file.
        head: plain values that go into the manifest.
        bounds: what its readers take.

    Raises:
        StoreError: for a file that is there or cannot be written, or more than the bounds.
    """
    _check_new(out, members)
    told = {name: described(members[name]) for name in sorted(members)}
    manifest = {"format": FORMAT, "version": VERSION, **head, "members": told}
    text = json.dumps(manifest, indent=1, sort_keys=True) + "\n"
    sizes = [len(text), *(entry["bytes"] for entry in told.values())]
    check_bounds(out, sizes, bounds, "Pack its runs one by one.")
    partial = out.with_name(f"{out.name}.partial")
    try:
        with ZipFile(partial, "w", ZIP_STORED, allowZip64=False) as archive:
            archive.writestr(_entry(MANIFEST), text)
            for name in told:
                with members[name].open("rb") as source, archive.open(_entry(name), "w") as target:
                    shutil.copyfileobj(source, target, CHUNK)
        partial.replace(out)
    except (OSError, LargeZipFile) as error:
        raise StoreError(
            f"--out {out}", expected="room for it", got=str(error), do="Choose another."
        ) from error
    finally:
        partial.unlink(missing_ok=True)


def _check_new(out: Path, members: Iterable[str]) -> None:
    """Refuses a file that would be written over, and names that a reader would refuse."""
    if out.exists() or not out.parent.is_dir():
        got = "one that is there" if out.exists() else f"no folder {out.parent}"
        raise StoreError(f"--out {out}", expected="a new file in a folder", got=got, do="Choose another.")
    for name in members:
        if not is_safe(name):
            raise StoreError(
                f"--out {out}",
                expected="names that every system takes",
                got=repr(name),
                do="Rename that file.",
            )


def _entry(name: str) -> ZipInfo:
    entry = ZipInfo(name, STAMP)
    entry.create_system, entry.external_attr = 3, (stat.S_IFREG | 0o644) << 16
    return entry


def read(path: Path, folder: Path, bounds: Bounds = BOUNDS) -> dict[str, Any]:
    """Reads an archive into an empty folder, all of it checked.

    Args:
        path: the archive.
        folder: what was written to it before a refusal is to be thrown away.
        bounds: more is refused.

    Returns:
        The manifest.

    Raises:
        StoreError: for anything that `write` does not write.
    """
    try:
        with path.open("rb") as file:
            _check_end(path, file, bounds)
            with ZipFile(file) as archive:
                entries = checked(path, archive.infolist(), bounds)
                manifest = _manifest(path, archive, entries)
                for name, told in manifest["members"].items():
                    _extract(path, archive, entries[name], told, folder / name)
    except (OSError, BadZipFile, EOFError, NotImplementedError, UnicodeError, struct.error) as error:
        raise refused(path, "a whole archive", str(error) or type(error).__name__) from error
    return manifest


def _check_end(path: Path, file: IO[bytes], bounds: Bounds) -> None:
    """Refuses, before the list of members is read, one that is too long or does not end the file."""
    size = file.seek(0, 2)
    file.seek(max(size - END.size - LOCATOR_BYTES, 0))
    before, tail = file.read(LOCATOR_BYTES), file.read()
    if before.startswith(LOCATOR):
        raise refused(path, f"at most {bounds.total} bytes", "an archive of the kind for more")
    if len(tail) < END.size or not tail.startswith(b"PK\x05\x06"):
        raise refused(path, "a whole archive", "a file that does not end like one")
    _, disk, first_disk, here, num_members, length, start, comment = END.unpack(tail)
    if (disk, first_disk, comment) != (0, 0, 0) or here != num_members or start + length + END.size != size:
        raise refused(path, "a whole archive", "one whose parts do not add up")
    if num_members > bounds.members or length > bounds.members * (ENTRY_BYTES + MAX_NAME_BYTES):
        raise refused(path, f"at most {bounds.members} members", str(num_members))


def _manifest(path: Path, archive: ZipFile, entries: Mapping[str, ZipInfo]) -> dict[str, Any]:
    if MANIFEST not in entries:
        raise refused(path, f"a member {MANIFEST}", "none")
    if entries[MANIFEST].file_size > MAX_MANIFEST_BYTES:
        raise refused(path, f"a {MANIFEST} of at most {MAX_MANIFEST_BYTES} bytes", "a larger one")
    try:
        told = json.loads(archive.read(entries[MANIFEST]))
        found, version, members = told["format"], told["version"], told["members"]
        sizes = {name: (int(entry["bytes"]), str(entry["sha256"])) for name, entry in members.items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise refused(path, f"a {MANIFEST} as `seedbed pack` writes it", type(error).__name__) from error
    if (found, version) != (FORMAT, VERSION):
        raise refused(path, f"format {FORMAT!r}, version {VERSION}", f"{found!r}, version {version!r}")
    differing = sorted(sizes.keys() ^ (entries.keys() - {MANIFEST}))
    if differing:
        raise refused(path, f"the members that {MANIFEST} lists", f"a difference in {differing[0]!r}")
    return dict(told)


def _extract(path: Path, archive: ZipFile, entry: ZipInfo, told: Mapping[str, Any], target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    running, size = hashlib.sha256(), 0
    with archive.open(entry) as source, target.open("xb") as out:
        while chunk := source.read(CHUNK):
            running.update(chunk)
            size += len(chunk)
            out.write(chunk)
    if (size, running.hexdigest()) != (told["bytes"], told["sha256"]):
        raise refused(path, f"{entry.filename} as {MANIFEST} says", "other bytes")


def name_of(files: Mapping[str, Path]) -> str:
    """A folder name that says which files it holds: a digest of their paths and contents."""
    told = [[path, described(file)["sha256"]] for path, file in sorted(files.items())]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]
