"""Runs that were recorded without a network, on their way to a server: `seedbed sync` at a login node."""

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from seedbed.track.artifacts import NOTE
from seedbed.track.copying import ENDED, PARENT, Copy, begin, described_run, fill
from seedbed.track.kept import kept
from seedbed.track.manifest import TAG as MANIFEST_TAG
from seedbed.track.registered import NAME as MODEL
from seedbed.track.resumption import points
from seedbed.track.store import OFFLINE_TAG, Store
from seedbed.track.telling import told

# On the server's run: its id where it was recorded.
FROM = "seedbed.synced_from"


class Transferred(NamedTuple):
    """One run that the server has now.

    Args:
        name: the run's.
        old: its id where it was recorded.
        new: its id on the server.
        status: as it is now; one that goes on is completed by the next transfer.
        known: whether nothing was left to do.
    """

    name: str
    old: str
    new: str
    status: str
    known: bool


def transfer(source: Store, target: Store) -> Iterator[Transferred]:
    """Copies every run and study that was recorded offline and that the target lacks, studies first.

    Args:
        source: where they were recorded.
        target: where they are to be.

    Raises:
        AwayError: where the target is away; the next transfer goes on from there.
        StoreError: for what it refuses.
    """
    known = {run.data.tags[FROM]: run for run in _search(target, f"tags.`{FROM}` LIKE '%'")}
    ids = {old: str(run.info.run_id) for old, run in known.items()}
    recorded = _search(source, f"tags.`{OFFLINE_TAG}` = 'true'")
    for run in sorted(recorded, key=lambda run: PARENT in run.data.tags):
        old = str(run.info.run_id)
        there = known.get(old)
        same = there is not None and run.info.status in ENDED and _standing(there) == _standing(run)
        if not same:
            with told(f"run {run.info.run_name!r}", do="See to the store, then sync again."):
                ids[old] = _copied(source, target, run, ids)
        yield Transferred(run.info.run_name, old, ids[old], run.info.status, same)
    studies = [run for run in recorded if PARENT not in run.data.tags]
    with told("notes of studies", do="See to the store, then sync again."):
        _link_notes(target, studies, ids, known)


def _standing(run: Any) -> tuple[Any, ...]:
    """What differs where a run went on, or was added to."""
    return run.info.status, run.info.end_time, run.data.tags.get(MANIFEST_TAG)


def _copied(source: Store, target: Store, run: Any, ids: dict[str, str]) -> str:
    """The run's id in the target, with all there is of it now."""
    old, described = str(run.info.run_id), described_run(source, run)
    tags = described["tags"] | {FROM: old}
    if tags.get(PARENT) in ids:
        tags[PARENT] = ids[tags[PARENT]]
    new = ids.get(old)
    if new is None:
        new = begin(target, described, tags)
        ids[old] = new  # an interruption from here on completes this one
    else:
        _set_tags(target, new, tags)
    with TemporaryDirectory() as scratch, kept(source, old) as files:
        model, artifacts = _laid_out(files, Path(scratch))
        fill(target, new, Copy(described, points(source, run), artifacts, model))
    return new


def _set_tags(target: Store, run_id: str, tags: Mapping[str, str]) -> None:
    from mlflow.entities import RunTag

    target.client.log_batch(run_id, tags=[RunTag(name, text) for name, text in tags.items()])
    for name in set(target.client.get_run(run_id).data.tags) - set(tags):
        target.client.delete_tag(run_id, name)
    target.client.update_run(run_id, status="RUNNING")


def _laid_out(files: Mapping[str, Path], scratch: Path) -> tuple[Path | None, Path | None]:
    """The folders of the model and of the other files, as MLflow takes them."""
    for path, file in files.items():
        inside = f"{MODEL}/" if path.startswith(f"{MODEL}/") else "artifacts/"
        place = scratch / inside / path.removeprefix(f"{MODEL}/")
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, place)
    model, artifacts = scratch / MODEL, scratch / "artifacts"
    return (model if model.is_dir() else None), (artifacts if artifacts.is_dir() else None)


def _link_notes(target: Store, studies: list[Any], ids: Mapping[str, str], known: Mapping[str, Any]) -> None:
    """A study's note links to its runs, which have other ids here."""
    for study in studies:
        note = there = study.data.tags.get(NOTE, "")
        for old, new in ids.items():
            there = there.replace(old, new)
        before = known.get(study.info.run_id)
        if there != note and (before is None or before.data.tags.get(NOTE) != there):
            target.client.set_tag(ids[study.info.run_id], NOTE, there)


def _search(store: Store, filter_string: str) -> list[Any]:
    """The runs of all experiments that match, oldest first."""
    with told(f"record store {store.address}", do="See to the store, then sync again."):
        experiments = [one.experiment_id for one in store.client.search_experiments()]
        return store.search(experiments, filter_string)
