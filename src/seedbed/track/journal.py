"""An append-only list of metric points on local disk, and how far the store has it.

One line a call: `{"time": milliseconds, "step": n, "metrics": {name: value}}`. A line is one write,
so a process that dies leaves whole lines and at most one torn tail, which the next one to append
cuts off and everyone who only reads passes over.
"""

import json
import os
import re
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from seedbed.errors import StoreError
from seedbed.track.room import no_room

# What MLflow takes as a metric name, and how many points it takes at once (version 3.17).
NAME = re.compile(r"(?!\.)[\w.\- ]+(/(?!\.)[\w.\- ]+)*")
MAX_NAME_LENGTH = 250
MAX_BATCH = 1000


class Point(NamedTuple):
    """One value of one metric; time in milliseconds since 1970."""

    name: str
    value: float
    time: int
    step: int


class Journal:
    """The journal of one run.

    Args:
        folder: the run's local folder; made where it is missing.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path, self._sent = folder / "journal.jsonl", folder / "delivered"
        self.path.touch()
        self._lock = threading.Lock()
        self._file: int | None = None
        self._known = {(point.name, point.step) for point in self.points()}

    def append(self, metrics: Mapping[str, float], step: int) -> None:
        """Writes one line. A metric that already has this step keeps its first value.

        A run resumed from a checkpoint repeats the steps after it; their points are here already.

        Raises:
            StoreError: for a name that the store would refuse later, when nobody can mend it, and
                where the disk is full.
        """
        for name in metrics:
            _check_name(name)
        with self._lock:
            new = {name: float(value) for name, value in metrics.items() if (name, step) not in self._known}
            now = time.time_ns() // 1_000_000
            for chunk in _chunks(new):
                entry = {"time": now, "step": step, "metrics": chunk}
                self._write(json.dumps(entry).encode() + b"\n")
            self._known |= {(name, step) for name in new}

    def adopt(self, points: Iterable[Point]) -> None:
        """Takes in what the store has and this journal lacks, with its own time.

        So a run that goes on where its folder is not (another host) repeats no step.
        """
        with self._lock:
            for point in points:
                if (point.name, point.step) not in self._known:
                    entry = {"time": point.time, "step": point.step, "metrics": {point.name: point.value}}
                    self._write(json.dumps(entry).encode() + b"\n")
                    self._known.add((point.name, point.step))

    def points(self) -> list[Point]:
        """Every point, in the order of writing."""
        return [point for batch, _ in self._batches(0) for point in batch]

    def undelivered(self) -> Iterator[tuple[list[Point], int]]:
        """Batches of at most 1000 points that the store may not have, each with where it ends."""
        if self._file is not None:
            os.fsync(self._file)  # the journal must know what the store knows, even after a power cut
        yield from self._batches(self._delivered())

    def mark_delivered(self, end: int) -> None:
        """Notes that the store has everything before byte `end`; on a full disk it goes out once more."""
        partial = self._sent.with_suffix(".partial")
        with suppress(OSError):
            partial.write_text(f"{end}\n")
            partial.replace(self._sent)

    def last_step(self, prefix: str) -> int:
        """The highest step of the metrics whose name starts so; -1 where there is none."""
        return max((step for name, step in self._known if name.startswith(prefix)), default=-1)

    def close(self) -> None:
        """Gives the file back; a later `append` opens it again."""
        with self._lock:
            if self._file is not None:
                os.close(self._file)
            self._file = None

    def _delivered(self) -> int:
        text = self._sent.read_text().strip() if self._sent.exists() else ""
        # Anything doubtful counts as nothing delivered: a second delivery does no harm.
        return int(text) if text.isdecimal() and int(text) <= self.path.stat().st_size else 0

    def _write(self, line: bytes) -> None:
        """Appends the line whole or not at all."""
        if self._file is None:
            self._file = os.open(self.path, os.O_RDWR | os.O_APPEND)
            os.ftruncate(self._file, self.path.read_bytes().rfind(b"\n") + 1)
        before = os.fstat(self._file).st_size
        try:
            written = os.write(self._file, line)
        except OSError as error:
            raise no_room(self.path, str(error.strerror)) from error
        if written < len(line):
            os.ftruncate(self._file, before)
            raise no_room(self.path, f"{written} bytes of a line of {len(line)}")

    def _batches(self, start: int) -> Iterator[tuple[list[Point], int]]:
        batch: list[Point] = []
        end = start
        with self.path.open("rb") as file:
            file.seek(start)
            for line in file:
                if not line.endswith(b"\n"):
                    break  # torn, or being written at this moment
                points = _parsed(line, self.path)
                if len(batch) + len(points) > MAX_BATCH:
                    yield batch, end
                    batch = []
                batch, end = batch + points, end + len(line)
        if batch:
            yield batch, end


def _chunks(metrics: dict[str, float]) -> Iterator[dict[str, float]]:
    items = list(metrics.items())
    for start in range(0, len(items), MAX_BATCH):
        yield dict(items[start : start + MAX_BATCH])


def _parsed(line: bytes, path: Path) -> list[Point]:
    try:
        entry = json.loads(line)
        return [Point(name, value, entry["time"], entry["step"]) for name, value in entry["metrics"].items()]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError(
            str(path),
            expected="lines that seedbed wrote",
            got=repr(line[:80].decode(errors="replace").strip()),
            do="Take the broken line out of the journal, then deliver again.",
        ) from error


def _check_name(name: str) -> None:
    if not NAME.fullmatch(name) or len(name) > MAX_NAME_LENGTH:
        raise StoreError(
            f"metric {name!r}",
            expected=f"at most {MAX_NAME_LENGTH} letters, digits, `_`, `-`, `.` and spaces, in parts by `/`",
            got=f"{len(name)} characters",
            do="Rename the metric.",
        )
