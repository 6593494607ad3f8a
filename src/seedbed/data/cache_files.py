"""Cache files that are whole or absent: written under another name, renamed at the end."""

import json
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray


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
