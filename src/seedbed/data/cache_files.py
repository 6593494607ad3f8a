"""Cache files that are whole or absent: written under another name, renamed at the end."""

import hashlib
import json
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from seedbed.errors import DataError


@contextmanager
def renamed(path: Path) -> Iterator[BinaryIO]:
    """A file to write that appears at `path` when the block ends well, and nowhere when it does not."""
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with temporary.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_note(path: Path, **facts: object) -> None:
    """Writes a small JSON file."""
    with renamed(path) as file:
        file.write(json.dumps(facts).encode())


def read_note(path: Path, name: str) -> str | None:
    """One text of a small JSON file; None where the file is absent or was cut short."""
    if not path.is_file():
        return None
    try:
        note = json.loads(path.read_text())
    except ValueError:  # cut short by a full or failing disk: the caller makes it again
        return None
    value = note.get(name) if isinstance(note, dict) else None
    return value if isinstance(value, str) else None


def open_array(path: Path, shape: tuple[int, ...]) -> NDArray[np.generic] | None:
    """Maps an array file into memory; None where it is absent, cut short or of another shape.

    The pages are shared between processes; what is written to them stays in this one.
    """
    if not path.is_file():
        return None
    try:
        array: NDArray[np.generic] = np.load(path, mmap_mode="c")
    except (ValueError, EOFError):  # cut short by a full or failing disk: the caller makes it again
        return None
    return array if array.shape == shape else None


@contextmanager
def locked(folder: Path, source: Path, what: str) -> Iterator[None]:
    """One start at a time decodes a source; the others wait and find it done.

    Args:
        folder: of the cache; made if missing.
        source: the file or folder that is decoded.
        what: comes of it, such as images.

    Raises:
        DataError: for a cache folder that cannot be written.
    """
    name = hashlib.sha256(str(source).encode()).hexdigest()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / f"{name}.lock"):
            yield
    except OSError as failure:
        raise DataError(
            f"data.cache_dir ({folder})",
            expected=f"a folder with room to write decoded {what} in",
            got=str(failure),
            do="Set data.cache_dir to another folder, or free some space.",
        ) from failure
