"""A run's journal and the store, compared line by line: what was said is there, exactly once."""

import json
import math
from collections import Counter
from pathlib import Path
from typing import Any

from seedbed.track.entries import Point
from seedbed.track.journal import Journal
from seedbed.track.kept import kept
from seedbed.track.manifest import as_stored, described
from seedbed.track.store import Store


def differences(store: Store, folder: Path) -> list[str]:
    """What the store has otherwise than the journals of a run's folder: nothing, where all is well.

    Args:
        store: where the run is.
        folder: of the run, or a link to it.
    """
    journal = Journal(folder)
    run = store.client.get_run(journal.mirror.run_id or folder.name)
    refused = {entry.value for entry in journal.entries() if entry.kind == "refused"}
    told = _points(store, run, [journal, *map(Journal, sorted(folder.glob("rank_*")))])
    told += [f"refused: the line at byte {begin}" for begin in sorted(refused)]
    told += _texts("param", journal.mirror.params, run.data.params)
    told += _texts("tag", journal.mirror.tags, run.data.tags)
    told += _info(journal, run) + _inputs(journal, run)
    with kept(store, run.info.run_id) as files:
        arrived = {path: described(file) for path, file in files.items()}
    for path, said in journal.mirror.artifacts.items():
        if arrived.get(path) != said:
            told.append(f"artifact {path}: expected {said}, got {arrived.get(path)}")
    return told


def _points(store: Store, run: Any, journals: list[Journal]) -> list[str]:
    """Every (name, step, value, time) of the journals and of the store, each as often as it is there."""
    said = Counter(map(_key, (point for journal in journals for point in journal.points())))
    there: Counter[tuple[str, int, int, str]] = Counter()
    for name in {*run.data.metrics, *(name for name, *_ in said)}:
        history = store.client.get_metric_history(run.info.run_id, name)
        there.update(_key(Point(name, point.value, point.timestamp, point.step)) for point in history)
    return [
        f"point {key}: expected {said[key]}, got {there[key]}"
        for key in said | there
        if said[key] != there[key]
    ]


def _key(point: Point) -> tuple[str, int, int, str]:
    value = "nan" if math.isnan(point.value) else as_stored(point.value).hex()
    return point.name, point.step, point.time, value


def _texts(kind: str, said: dict[str, str], there: dict[str, str]) -> list[str]:
    wrong = [name for name, text in said.items() if there.get(name) != text]
    return [f"{kind} {name}: expected {said[name]!r}, got {there.get(name)!r}" for name in wrong]


def _info(journal: Journal, run: Any) -> list[str]:
    mirror = journal.mirror
    told = []
    if run.info.status != mirror.status:
        told.append(f"status: expected {mirror.status}, got {run.info.status}")
    if mirror.status != "RUNNING" and run.info.end_time != mirror.end_time:
        told.append(f"end time: expected {mirror.end_time}, got {run.info.end_time}")
    if mirror.complete and run.info.start_time != mirror.start_time:
        told.append(f"start time: expected {mirror.start_time}, got {run.info.start_time}")
    return told


def _inputs(journal: Journal, run: Any) -> list[str]:
    said = {
        (entry.value["name"], entry.value["split"]) for entry in journal.entries() if entry.kind == "dataset"
    }
    used = run.inputs.dataset_inputs if run.inputs else []
    there = [(entry.dataset.name, json.loads(entry.dataset.profile)["split"]) for entry in used]
    return (
        [] if sorted(there) == sorted(said) else [f"data sets: expected {sorted(said)}, got {sorted(there)}"]
    )
