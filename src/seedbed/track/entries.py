"""What the lines of a journal say, one plain value each, and what all of them come to.

| kind | value |
|---|---|
| `start` | experiment, name, tags, parent's id; `local_id`, or the store's `run_id` of a run that is in it |
| `created` | the store's id of a run that began without it |
| `params`, `tags` | name to text |
| `untag` | names of tags that are taken away |
| `metrics` | name to value, beside a `step` |
| `artifact` | `file` in the run's folder, artifact `folder`, and `paths`: digest and size of each |
| `dataset` | what `dataset.entity` takes |
| `model` | `file`: the folder of an MLflow model in the run's folder, and its `paths` |
| `status` | as MLflow has it |
| `refused` | where the line begins that the store would not take |
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from seedbed.errors import StoreError

KINDS = (
    "metrics",
    "start",
    "created",
    "params",
    "tags",
    "untag",
    "artifact",
    "dataset",
    "model",
    "status",
    "refused",
)
MAPPINGS = ("metrics", "start", "params", "tags", "artifact", "dataset", "model")
# What says how things stand here, and nothing that the store is told.
OWN = ("created", "refused")


class Point(NamedTuple):
    """One value of one metric; time in milliseconds since 1970."""

    name: str
    value: float
    time: int
    step: int


class Entry(NamedTuple):
    """One line.

    Args:
        kind: one of `KINDS`.
        value: what it says.
        time: of its writing, in milliseconds since 1970.
        step: of metrics.
        begin: byte of the journal where it begins.
        end: byte after its last.
    """

    kind: str
    value: Any
    time: int
    step: int
    begin: int
    end: int

    @property
    def points(self) -> list[Point]:
        """Those of a line of metrics."""
        return [Point(name, value, self.time, self.step) for name, value in self.value.items()]


def entry_of(line: bytes, begin: int, path: Path) -> Entry:
    """The entry of a whole line.

    Args:
        line: with its end.
        begin: byte of the journal where it begins.
        path: the journal, for what is said of it.

    Raises:
        StoreError: for a line that seedbed did not write.
    """
    try:
        told: dict[str, Any] = json.loads(line)
        (kind,) = told.keys() & set(KINDS)
        step = told["step"] if kind == "metrics" else 0
        value = told[kind].copy() if kind in MAPPINGS else told[kind]
        return Entry(kind, value, told["time"], step, begin, begin + len(line))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError(
            str(path),
            expected="lines that seedbed wrote",
            got=repr(line[:80].decode(errors="replace").strip()),
            do="Take the broken line out of the journal, then deliver again.",
        ) from error


class Mirror:
    """The run as its journal tells it, whatever the store has of it by now."""

    def __init__(self) -> None:
        self.start: dict[str, Any] | None = None
        self.start_time = self.end_time = 0
        self.run_id: str | None = None
        self.status = "RUNNING"
        self.params: dict[str, str] = {}
        self.tags: dict[str, str] = {}
        self.known: set[tuple[str, int]] = set()
        self._artifacts: dict[str, tuple[int, dict[str, Any]]] = {}

    @property
    def complete(self) -> bool:
        """Whether the journal has the run from its beginning, and not only from where it was taken up."""
        return self.start is not None and not self.start.get("adopted", False)

    @property
    def artifacts(self) -> dict[str, dict[str, Any]]:
        """Digest and size of every file that was kept, by its path; `model/` holds the model's."""
        return {path: told for path, (_, told) in sorted(self._artifacts.items())}

    def take(self, entry: Entry) -> None:
        """Takes in the next line."""
        getattr(self, f"_{entry.kind}")(entry)

    def _metrics(self, entry: Entry) -> None:
        self.known |= {(name, entry.step) for name in entry.value}

    def _start(self, entry: Entry) -> None:
        self.start, self.start_time = entry.value, entry.time
        self.run_id = entry.value.get("run_id")
        self.params |= entry.value.get("params", {})
        self.tags |= entry.value["tags"]
        self.status = entry.value.get("status", "RUNNING")

    def _created(self, entry: Entry) -> None:
        self.run_id = entry.value

    def _params(self, entry: Entry) -> None:
        self.params |= entry.value

    def _tags(self, entry: Entry) -> None:
        self.tags |= entry.value

    def _untag(self, entry: Entry) -> None:
        for name in entry.value:
            self.tags.pop(name, None)

    def _artifact(self, entry: Entry) -> None:
        paths: Mapping[str, dict[str, Any]] = entry.value["paths"]
        self._artifacts |= {path: (entry.begin, told) for path, told in paths.items()}

    def _model(self, entry: Entry) -> None:
        self._artifact(entry)

    def _dataset(self, entry: Entry) -> None:
        pass

    def _status(self, entry: Entry) -> None:
        self.status, self.end_time = entry.value, entry.time

    def _refused(self, entry: Entry) -> None:
        self._artifacts = {
            path: (begin, told) for path, (begin, told) in self._artifacts.items() if begin != entry.value
        }
