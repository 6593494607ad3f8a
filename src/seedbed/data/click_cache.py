"""The cache of click logs on disk: a text file is read once, and from then on its codes are.

`<fingerprint>.json` names the content of a file that nobody has touched since, `<content>.codes` holds a
row of little-endian int32 a line, `<content>.labels.npy` a byte a line, `<content>.json` the digest.
"""

import hashlib
import json
from pathlib import Path
from typing import NamedTuple, final

import numpy as np
import torch

from seedbed.data.cache_files import locked, read_note, renamed, write_note
from seedbed.data.click_format import Format
from seedbed.data.click_parsing import BLOCK_BYTES, Labels, blocks
from seedbed.data.coded_rows import StreamedCodes, digest_of
from seedbed.data.codes import SCHEME
from seedbed.data.decoding import watched
from seedbed.errors import DataError

# The bytes of an int32, and of a piece of a file that is hashed at once.
CODE_BYTES, PIECE_BYTES = 4, 2**20


class Cached(NamedTuple):
    """A click log that has been read: where its codes lie, and its labels, 0 or 1 a row."""

    rows: StreamedCodes
    labels: Labels


@final
class ClickCache:
    """The decoded form of one click log.

    Args:
        folder: where the cache lies; made if missing.
        path: the click log.
        form: what its lines are.
    """

    def __init__(self, folder: Path, path: Path, form: Format) -> None:
        self._folder, self._path, self._form = folder, path, form

    def read(self) -> Cached:
        """Codes and labels of all lines, from the cache where they are there.

        Raises:
            DataError: naming a line that is none of the format's, or a cache folder that cannot be written.
        """
        with locked(self._folder, self._path, "clicks"):
            content = self._content()
            if (found := self._open(content)) is None:
                self._decode(content)
                found = self._open(content)
        assert found is not None
        return found

    def _content(self) -> str:
        """Names the decoded file; known at once where it is as it was."""
        note = self._folder / f"{self._named(fingerprint(self._path))}.json"
        if (content := read_note(note, "content")) is None:
            with self._path.open("rb") as file:
                content = self._named(hashlib.file_digest(file, "sha256").hexdigest())
            write_note(note, content=content)
        return content

    def _named(self, digest: str) -> str:
        return hashlib.sha256(json.dumps([digest, self._form, SCHEME], default=repr).encode()).hexdigest()

    def _open(self, content: str) -> Cached | None:
        """What is in the cache; None where it is absent or was cut short."""
        codes, labels = self._folder / f"{content}.codes", self._folder / f"{content}.labels.npy"
        digest = read_note(self._folder / f"{content}.json", "digest")
        if digest is None or not codes.is_file() or not labels.is_file():
            return None
        try:
            values: Labels = np.load(labels)
        except (ValueError, EOFError):  # cut short by a full or failing disk: made again
            return None
        num_fields = len(self._form.columns)
        if codes.stat().st_size != len(values) * num_fields * CODE_BYTES:
            return None
        return Cached(StreamedCodes(codes, len(values), num_fields, digest), values)

    def _decode(self, content: str) -> None:
        labels, values_digest = [np.zeros(0, dtype=np.int8)], hashlib.sha256()
        size = self._path.stat().st_size
        with renamed(self._folder / f"{content}.codes") as file:
            meaning = f"Reading {self._path.name}, {size / 1e6:,.0f} MB"
            # A packed file has more blocks than its size says, and then the bar only runs.
            total = None if self._path.suffix == ".gz" else -(-size // BLOCK_BYTES)
            for block in watched(blocks(self._path, self._form), total, meaning):
                rows = np.ascontiguousarray(block.codes, dtype="<i4")
                file.write(rows.data)
                values_digest.update(rows.data)
                labels.append(block.labels)
        together = np.concatenate(labels)
        with renamed(self._folder / f"{content}.labels.npy") as file:
            np.save(file, together)
        digest = digest_of(len(together), len(self._form.columns), values_digest.hexdigest())
        write_note(self._folder / f"{content}.json", digest=digest)


def fingerprint(path: Path) -> str:
    """SHA-256 of path, size and times: cheap, and different whenever the file was touched.

    Raises:
        DataError: where there is no such file, or none that may be read.
    """
    try:
        with path.open("rb"):
            stat = path.stat()
    except OSError as failure:
        raise DataError(
            str(path),
            expected="a click log",
            got=failure.strerror or str(failure),
            do="Set data.root to its folder and data.file to its name.",
        ) from failure
    told = [str(path), stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def as_tensor(labels: Labels) -> torch.Tensor:
    """Labels as batches hold them."""
    return torch.from_numpy(labels.astype(np.int64))
