"""An archive's runs in another store, from which they can be verified and re-run.

MLflow gives each run a new id; the tag `seedbed.unpacked_from` holds the old one. A run is the
store's when it has its status: one that was cut off before that is taken away and made again.
"""

import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from seedbed.recording import JOB
from seedbed.reproduce import archive, code
from seedbed.reproduce.check import UNPACKED_DATA
from seedbed.reproduce.contents import Contents, contents, data, repositories
from seedbed.reproduce.entries import BOUNDS, Bounds
from seedbed.terminal import said
from seedbed.track.copying import PARENT, Copy, begin, fill
from seedbed.track.journal import JOURNAL, Journal
from seedbed.track.leftover import take_along
from seedbed.track.registered import NAME as MODEL
from seedbed.track.store import Store
from seedbed.track.telling import told
from seedbed.verdict.find import everywhere

FROM = "seedbed.unpacked_from"


class Unpacked(NamedTuple):
    """One run of an archive.

    Args:
        name: what the UI shows.
        old: its id where it was packed.
        new: its id here.
        known: whether it was here before.
    """

    name: str
    old: str
    new: str
    known: bool


def unpack(path: Path, root: Path, bounds: Bounds = BOUNDS) -> list[Unpacked]:
    """Loads an archive into a store; what is there already stays as it is.

    Args:
        path: the archive.
        root: folder of the store, made where it is missing.
        bounds: a larger archive is refused.

    Raises:
        StoreError: for an archive that is not as `pack` writes them; nothing is written then.
    """
    root = root.absolute()
    beside = next(folder for folder in root.parents if folder.is_dir())
    with TemporaryDirectory(dir=beside, prefix=".seedbed-unpack-") as scratch:
        folder = Path(scratch)
        archive.read(path, folder, bounds)
        runs, codes, brought = contents(path, folder), repositories(path, folder), data(path, folder)
        store = Store.open(root)
        take_along(store, said)
        for commit, repository in codes.items():
            _place(repository, code.place(root, commit))
        for part in brought:
            _place(part, root / "data" / part.name)
        return _loaded(store, runs)


def _place(made: Path, target: Path) -> None:
    """Moves what is whole to where it is looked for; what is there already has the same name, so content."""
    if target.exists():
        return
    partial = target.with_name(f"{target.name}.partial")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(partial, ignore_errors=True)  # somebody was cut off here
    shutil.move(made, partial)  # a copy, where the store is on another disk
    partial.rename(target)


def _loaded(store: Store, runs: Iterable[Contents]) -> list[Unpacked]:
    ids: dict[str, str] = {}
    done = []
    for run in runs:
        known = _known(store, run.run_id)
        ids[run.run_id] = known or _load(store, run, ids)
        done.append(Unpacked(run.told["name"], run.run_id, ids[run.run_id], known is not None))
    return done


def _known(store: Store, run_id: str) -> str | None:
    """The run of this store that is the packed one, itself or unpacked before; half a one is taken away."""
    filters = (f"attributes.run_id = '{run_id}'", f"tags.`{FROM}` = '{run_id}'")
    for run in (run for wanted in filters for run in store.search(everywhere(store), wanted)):
        if run.info.status != "RUNNING" or run.info.run_id == run_id:
            return str(run.info.run_id)
        store.client.delete_run(run.info.run_id)
    return None


def _load(store: Store, run: Contents, ids: Mapping[str, str]) -> str:
    """Makes the run; its new id."""
    packed = run.told
    tags = {name: text for name, text in packed["tags"].items() if name != PARENT} | {FROM: run.run_id}
    if run.parent in ids:
        tags[PARENT] = ids[str(run.parent)]
    if packed["data"]:
        tags[UNPACKED_DATA] = packed["data"]
    artifacts, model = run.folder / "artifacts", run.folder / MODEL
    with told(f"run {packed['name']!r}", do="See to the store, then unpack again."):
        new = begin(store, packed, tags)
        _fill_folder(store, run, new)
        copy = Copy(
            packed,
            run.points(),
            artifacts if artifacts.is_dir() else None,
            model if model.is_dir() else None,
        )
        fill(store, new, copy)
    return new


def _fill_folder(store: Store, run: Contents, new: str) -> None:
    """The run's local folder: its journal, all of which the store has, and its job in its new place."""
    folder = store.root / "runs" / new
    folder.mkdir(parents=True)
    if (run.folder / "search.journal").is_file():
        shutil.copyfile(run.folder / "search.journal", folder / "search.journal")
    if (run.folder / JOURNAL).is_file():  # of all that it says, what holds under the new id
        journal = Journal(folder)
        journal.adopt(Journal(run.folder).points())
        journal.mark_delivered(journal.path.stat().st_size)
        journal.close()
    if run.job is not None:
        config = json.loads(json.dumps(run.job.config))
        config["track"]["root"] = str(store.root)
        if run.told["data"]:
            config["data"]["root"] = str(store.root / run.told["data"])
        replace(run.job, config=config).save(folder / JOB)
