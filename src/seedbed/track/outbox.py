"""Files on their way to the store: kept in the run's folder, whatever becomes of the originals."""

import os
import shutil
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from seedbed.track.manifest import described

FOLDER = "outbox"


class Outbox:
    """What of a run's files the store may lack.

    A file of the run's own folder is linked, which costs neither time nor room: whoever writes one
    anew there replaces it and never writes into it. Any other is copied.

    Args:
        folder: of the run.
    """

    def __init__(self, folder: Path) -> None:
        self._run, self.path = folder, folder / FOLDER

    def place(self) -> Path:
        """A new empty folder for one line's files."""
        self.path.mkdir(exist_ok=True)
        return Path(mkdtemp(dir=self.path, prefix=""))

    def put(self, local: Path) -> Path:
        """Keeps a file, or a folder with all that is in it; where it is kept."""
        kept = self.place() / local.name
        own = local.resolve().is_relative_to(self._run.resolve())
        copy = _linked if own else shutil.copyfile
        if local.is_dir():
            shutil.copytree(local, kept, copy_function=copy)
        else:
            copy(local, kept)
        return kept

    def put_text(self, text: str, name: str) -> Path:
        """Keeps a text as a file; undecodable bytes, as surrogates, come out as they were."""
        kept = self.place() / name
        kept.write_bytes(text.encode(errors="surrogateescape"))
        return kept

    def named(self, kept: Path) -> str:
        """How a line of the journal names what is kept."""
        return kept.relative_to(self._run).as_posix()

    def drop(self, name: str) -> None:
        """Lets go of what a line names; the last one takes the folder along."""
        shutil.rmtree((self._run / name).parent, ignore_errors=True)
        if self.path.is_dir() and not any(self.path.iterdir()):
            self.path.rmdir()


def described_tree(kept: Path, folder: str) -> dict[str, dict[str, Any]]:
    """Digest and size of what is kept, by the paths that it has in an artifact folder.

    Args:
        kept: a file, which goes there under its name, or a folder, whose content goes there.
        folder: the artifact folder; empty: the root.
    """
    files = {kept.name: kept} if kept.is_file() else _files(kept)
    return {f"{folder}/{path}" if folder else path: described(file) for path, file in files.items()}


def _files(folder: Path) -> dict[str, Path]:
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path for path in found}


def _linked(source: Any, target: Any) -> None:
    try:
        os.link(source, target)
    except OSError:  # a file system without links, or too many of them
        shutil.copyfile(source, target)
