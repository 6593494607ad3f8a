"""What is asked of MLflow for some lines of a journal; asked twice, each does no harm.

A point's time was taken once, in the journal, and MLflow's stores keep one row for one (name, time,
step, value); everything else is set to what it is already.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from seedbed.track import dataset, registered
from seedbed.track.entries import OWN, Entry
from seedbed.track.journal import MAX_BATCH, Journal
from seedbed.track.store import Store

LOCAL_ID = "seedbed.local_id"
# Kinds that go out together where they follow each other.
TOGETHER = {"metrics": "batch", "params": "batch", "tags": "batch", "dataset": "dataset"}
# What SQLite, PostgreSQL and MySQL say where two writers make the same row.
MET = ("UNIQUE constraint", "duplicate key", "Duplicate entry")
NUM_TRIES = 5


def grouped(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """The lines in order, as many together as one request takes."""
    group: list[Entry] = []
    family, weight = "", 0
    for entry in entries:
        own = _family(entry)
        size = len(entry.value) if own == "batch" else 0
        if group and ((own and family and own != family) or weight + size > MAX_BATCH):
            yield group
            group, family, weight = [], "", 0
        group.append(entry)
        family, weight = own or family, weight + size
    if group:
        yield group


def _family(entry: Entry) -> str:
    """What the entry goes out with; empty: with anything, because nothing is asked for it."""
    if entry.kind in OWN or (entry.kind == "start" and "run_id" in entry.value):
        return ""
    return TOGETHER.get(entry.kind, str(entry.begin))


def about(group: Sequence[Entry]) -> str:
    """What of its run some lines are."""
    entry = next((entry for entry in group if _family(entry)), group[0])
    if entry.kind == "artifact":
        return f"artifact{'s' if len(entry.value['paths']) > 1 else ''} {Path(entry.value['file']).name}"
    return f"data set {entry.value['name']}" if entry.kind == "dataset" else entry.kind


def send(store: Store, journal: Journal, folder: Path, group: Sequence[Entry]) -> None:
    """Takes the lines of one group to the store.

    Args:
        store: where the run is, or is to be.
        journal: the run's own.
        folder: the run's.
        group: of `grouped`.
    """
    asked = [entry for entry in group if _family(entry)]
    if not asked:
        return
    if asked[0].kind == "start":
        _start(store, journal, folder, asked[0])
        return
    run_id = journal.mirror.run_id or folder.name
    family = TOGETHER.get(asked[0].kind)
    if family == "batch":
        _batch(store, run_id, asked)
    elif family == "dataset":
        _inputs(store, run_id, [dataset.entity(**entry.value) for entry in asked])
    else:
        _single(store, run_id, folder, asked[0])


def _inputs(store: Store, run_id: str, entities: Sequence[Any]) -> None:
    """Again where another run has just made the row of the data set: MLflow looks, then writes."""
    from mlflow.exceptions import MlflowException

    for left in reversed(range(NUM_TRIES)):
        try:
            store.client.log_inputs(run_id, datasets=entities)
        except MlflowException as error:
            if not left or not any(words in str(error) for words in MET):
                raise
        else:
            return


def _start(store: Store, journal: Journal, folder: Path, entry: Entry) -> None:
    """Finds the run that an earlier attempt made, or makes it; its folder is then found under its id, too."""
    run_id = begun(store, entry.value, entry.time)
    link = store.root / "runs" / run_id
    with suppress(FileExistsError):
        link.symlink_to(folder.name)
    journal.write("created", run_id)


def begun(store: Store, start: dict[str, Any], moment: int) -> str:
    """The store's id of a run that began without it, made where it is missing.

    Args:
        store: where it is to be.
        start: its line in the journal.
        moment: when it began, in milliseconds since 1970.
    """
    experiment_id = store.experiment(start["experiment"])
    wanted = f"tags.`{LOCAL_ID}` = '{start['local_id']}'"
    found = store.client.search_runs([experiment_id], filter_string=wanted, max_results=1)
    return str(found[0].info.run_id) if found else create(store, experiment_id, start, moment)


def create(store: Store, experiment_id: str, start: dict[str, Any], moment: int) -> str:
    """Makes the run; its id.

    Args:
        store: where it is to be.
        experiment_id: MLflow's id of its experiment.
        start: its line in the journal.
        moment: when it began, in milliseconds since 1970.
    """
    tags = start["tags"] | {LOCAL_ID: start["local_id"]}
    made = store.client.create_run(experiment_id, start_time=moment, tags=tags, run_name=start["name"])
    return str(made.info.run_id)


def _batch(store: Store, run_id: str, asked: Sequence[Entry]) -> None:
    from mlflow.entities import Metric, Param, RunTag

    points = [point for entry in asked if entry.kind == "metrics" for point in entry.points]
    params = [pair for entry in asked if entry.kind == "params" for pair in entry.value.items()]
    tags = {name: text for entry in asked if entry.kind == "tags" for name, text in entry.value.items()}
    store.client.log_batch(
        run_id,
        metrics=[Metric(point.name, point.value, point.time, point.step) for point in points],
        params=[Param(name, text) for name, text in dict.fromkeys(params)],
        tags=[RunTag(name, text) for name, text in tags.items()],
        synchronous=True,
    )


def _single(store: Store, run_id: str, folder: Path, entry: Entry) -> None:
    match entry.kind:
        case "artifact":
            _artifact(store, run_id, folder / entry.value["file"], entry.value["folder"] or None)
        case "model":
            registered.log(store.client, run_id, folder / entry.value["file"])
        case "untag":
            _untag(store, run_id, entry)
        case "status" if entry.value == "RUNNING":
            store.client.update_run(run_id, status=entry.value)
        case "status":
            store.client.set_terminated(run_id, entry.value, entry.time)


def _untag(store: Store, run_id: str, entry: Entry) -> None:
    from mlflow.exceptions import MlflowException

    for name in entry.value:
        try:
            store.client.delete_tag(run_id, name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST" or name not in str(error):
                raise


def _artifact(store: Store, run_id: str, file: Path, into: str | None) -> None:
    if file.is_dir():
        store.client.log_artifacts(run_id, str(file), into)
    else:
        store.client.log_artifact(run_id, str(file), into)
