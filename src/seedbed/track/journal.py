"""An append-only list of all that a run says, on local disk, and how far the store has it.

One line a call: `{"time": milliseconds, "step": n, "metrics": {name: value}}`, or another of the
kinds in `entries`. A line is one write, so a process that dies leaves whole lines and at most one
torn tail, which the next one to append cuts off and everyone who only reads passes over.
"""

import json
import os
import re
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from seedbed.errors import StoreError
from seedbed.track.entries import Entry, Mirror, Point, entry_of
from seedbed.track.room import no_room

# What MLflow takes as a metric name, and how many points it takes at once (version 3.17).
NAME = re.compile(r"(?!\.)[\w.\- ]+(/(?!\.)[\w.\- ]+)*")
MAX_NAME_LENGTH = 250
MAX_BATCH = 1000
JOURNAL, DELIVERED = "journal.jsonl", "delivered"


class Journal:
    """The journal of one run.

    Args:
        folder: the run's local folder; made where it is missing.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path, self._sent = folder / JOURNAL, folder / DELIVERED
        self.path.touch()
        self._lock = threading.Lock()
        self._file: int | None = None
        self._mirror, self._seen = Mirror(), 0
        self._catch_up()

    @property
    def mirror(self) -> Mirror:
        """What all lines come to, those of other processes included."""
        with self._lock:
            self._catch_up()
        return self._mirror

    def write(self, kind: str, value: Any, moment: int | None = None) -> None:
        """Writes one line that is no metrics.

        Args:
            kind: one of `entries.KINDS`.
            value: plain values.
            moment: milliseconds since 1970; None: now.

        Raises:
            StoreError: where the disk is full.
        """
        with self._lock:
            self._write({"time": _now() if moment is None else moment, kind: value})

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
            self._catch_up()
            known = self._mirror.known
            new = {name: float(value) for name, value in metrics.items() if (name, step) not in known}
            now = _now()
            for chunk in _chunks(new):
                self._write({"time": now, "step": step, "metrics": chunk})

    def adopt(self, points: Iterable[Point]) -> None:
        """Takes in what the store has and this journal lacks, with its own time.

        So a run that goes on where its folder is not (another host) repeats no step.
        """
        with self._lock:
            self._catch_up()
            for point in points:
                if (point.name, point.step) not in self._mirror.known:
                    self._write(
                        {"time": point.time, "step": point.step, "metrics": {point.name: point.value}}
                    )

    def points(self) -> list[Point]:
        """Every point, in the order of writing."""
        return [point for entry in self.entries() if entry.kind == "metrics" for point in entry.points]

    def entries(self, begin: int = 0) -> Iterator[Entry]:
        """Every whole line from this byte on."""
        with self.path.open("rb") as file:
            file.seek(begin)
            for line in file:
                if not line.endswith(b"\n"):
                    break  # torn, or being written at this moment
                entry = entry_of(line, begin, self.path)
                begin = entry.end
                yield entry

    def undelivered(self) -> Iterator[Entry]:
        """Every line that the store may not have."""
        yield from self.entries(self.delivered())

    def waits(self) -> bool:
        """Whether the store may lack anything."""
        return self.delivered() < self.path.stat().st_size

    def secure(self) -> None:
        """Brings all down to the disk: the journal must know what the store knows, even after a power cut."""
        if self._file is not None:
            os.fsync(self._file)

    def mark_delivered(self, end: int) -> None:
        """Notes that the store has everything before byte `end`; on a full disk it goes out once more."""
        partial = self._sent.with_suffix(".partial")
        with suppress(OSError):
            partial.write_text(f"{end}\n")
            partial.replace(self._sent)

    def last_step(self, prefix: str) -> int:
        """The highest step of the metrics whose name starts so; -1 where there is none."""
        return max((step for name, step in self.mirror.known if name.startswith(prefix)), default=-1)

    def close(self) -> None:
        """Gives the file back; a later `append` opens it again."""
        with self._lock:
            if self._file is not None:
                os.close(self._file)
            self._file = None

    def delivered(self) -> int:
        """The byte up to which the store has everything."""
        text = self._sent.read_text().strip() if self._sent.exists() else ""
        # Anything doubtful counts as nothing delivered: a second delivery does no harm.
        return int(text) if text.isdecimal() and int(text) <= self.path.stat().st_size else 0

    def _catch_up(self) -> None:
        """Takes in the lines that came since, from whatever process."""
        if self.path.exists() and self.path.stat().st_size > self._seen:
            for entry in self.entries(self._seen):
                self._mirror.take(entry)
                self._seen = entry.end

    def _write(self, told: dict[str, Any]) -> None:
        """Appends a line whole or not at all."""
        line = json.dumps(told).encode() + b"\n"
        if self._file is None:
            self._file = os.open(self.path, os.O_RDWR | os.O_APPEND)
        self._cut_torn()
        before = os.fstat(self._file).st_size
        try:
            written = os.write(self._file, line)
        except OSError as error:
            raise no_room(self.path, str(error.strerror)) from error
        if written < len(line):
            os.ftruncate(self._file, before)
            raise no_room(self.path, f"{written} bytes of a line of {len(line)}")
        self._catch_up()

    def _cut_torn(self) -> None:
        """Cuts off what a process that died, this one's rank for example, left of a last line."""
        assert self._file is not None
        self._catch_up()
        if os.fstat(self._file).st_size > self._seen:
            os.ftruncate(self._file, self._seen)


def _now() -> int:
    return time.time_ns() // 1_000_000


def _chunks(metrics: dict[str, float]) -> Iterator[dict[str, float]]:
    items = list(metrics.items())
    for start in range(0, len(items), MAX_BATCH):
        yield dict(items[start : start + MAX_BATCH])


def _check_name(name: str) -> None:
    if not NAME.fullmatch(name) or len(name) > MAX_NAME_LENGTH:
        raise StoreError(
            f"metric {name!r}",
            expected=f"at most {MAX_NAME_LENGTH} letters, digits, `_`, `-`, `.` and spaces, in parts by `/`",
            got=f"{len(name)} characters",
            do="Rename the metric.",
        )
