"""A run as its record has it: what it was, what it gave, and where it came from."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from seedbed.errors import StoreError
from seedbed.job import Job
from seedbed.recording import JOB
from seedbed.track.resumption import look, points
from seedbed.track.store import Store
from seedbed.track.telling import told

# Folders of small files; checkpoints and the model are none of a comparison's business.
FOLDERS = ("fit", "provenance")


class Recorded(NamedTuple):
    """One run, read back.

    Args:
        run_id: MLflow's id.
        name: what the UI shows.
        status: FINISHED, FAILED, KILLED or RUNNING.
        job: what ran.
        tags: as MLflow keeps them.
        history: metric to step to value, without the machine's load and without times, which no two
            runs share.
        trace: digests of the initial weights, of those after each epoch and of the test logits; None
            where the run ended before it left any.
        objectives: of each optimiser step; None likewise.
        in_force: what torch ran on and its switches, as the run left them.
        machine: host, CPU and Python, and what was in force when the run began.
        packages: installed distribution to version.
        diff: what no commit held, as a patch.
        datasets: split to its profile: digests, number of examples, class counts.
    """

    run_id: str
    name: str
    status: str
    job: Job
    tags: dict[str, str]
    history: dict[str, dict[int, float]]
    trace: dict[str, Any] | None
    objectives: NDArray[np.float64] | None
    in_force: dict[str, Any]
    machine: dict[str, Any]
    packages: dict[str, str]
    diff: str
    datasets: dict[str, dict[str, Any]]

    @property
    def final(self) -> dict[str, float]:
        """The last value of each metric."""
        return {name: values[max(values)] for name, values in self.history.items()}


def recorded(store: Store, run_id: str) -> Recorded:
    """Reads a run of this program back.

    Args:
        store: an open store.
        run_id: MLflow's id.

    Raises:
        StoreError: for a run that is not there, that is a study or another program's, or whose files
            cannot be read, naming what the record lacks.
    """
    run = look(store, run_id)
    if run.data.tags.get("seedbed.kind") == "study":
        raise _no_run(run_id, "a study, which has many")
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        _fetch(store, run_id, folder)
        job = _json(run_id, folder, JOB)
        if job is None:
            raise _no_run(run_id, f"a record without {JOB}")
        trace, objectives = _json(run_id, folder, "fit/trace.json"), folder / "fit/objectives.npy"
        with _sound(run_id, "files"):
            return Recorded(
                run_id,
                run.info.run_name,
                run.info.status,
                Job(**job),
                dict(run.data.tags),
                _history(store, run),
                trace,
                np.load(objectives, allow_pickle=False) if objectives.exists() else None,
                _json(run_id, folder, "provenance/in_force.json") or {},
                _json(run_id, folder, "provenance/machine.json") or {},
                dict(line.split("==") for line in _text(folder / "provenance/packages.txt").splitlines()),
                _text(folder / "provenance/uncommitted.diff"),
                _datasets(run),
            )


def _fetch(store: Store, run_id: str, folder: Path) -> None:
    with told(f"artifacts of run {run_id}", do="See to the store's artifacts."):
        there = {entry.path for entry in store.client.list_artifacts(run_id)}
        for path in sorted(there & {JOB, *FOLDERS}):
            store.client.download_artifacts(run_id, path, str(folder))


def _json(run_id: str, folder: Path, path: str) -> dict[str, Any] | None:
    """The mapping that an artifact holds; None where there is no such artifact."""
    if not (folder / path).exists():
        return None
    with _sound(run_id, path):
        return dict(json.loads((folder / path).read_bytes()))


def _text(path: Path) -> str:
    return path.read_bytes().decode(errors="surrogateescape") if path.exists() else ""


@contextmanager
def _sound(run_id: str, what: str) -> Iterator[None]:
    """Turns what a broken file raises into one paragraph."""
    try:
        yield
    except (TypeError, ValueError, EOFError) as error:
        raise StoreError(
            f"run {run_id}, {what}",
            expected="files as this program wrote them",
            got=str(error).partition("\n")[0] or type(error).__name__,
            do=f"See what else is wrong: seedbed verify {run_id}",
        ) from error


def _history(store: Store, run: Any) -> dict[str, dict[int, float]]:
    history: dict[str, dict[int, float]] = {}
    for point in points(store, run):
        if not (point.name.startswith("system/") or point.name.endswith("seconds")):
            history.setdefault(point.name, {})[point.step] = point.value
    return history


def _datasets(run: Any) -> dict[str, dict[str, Any]]:
    inputs = run.inputs.dataset_inputs if run.inputs else []
    profiles = (json.loads(entry.dataset.profile) for entry in inputs)
    return {profile["split"]: profile for profile in profiles}


def _no_run(run_id: str, got: str) -> StoreError:
    return StoreError(
        f"run {run_id}",
        expected="one run of seedbed, with its job on record",
        got=got,
        do="Name one of its runs, or another run: seedbed ui shows their ids.",
    )
