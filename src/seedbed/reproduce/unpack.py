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
from typing import Any, NamedTuple

from seedbed.recording import JOB
from seedbed.reproduce import archive, code
from seedbed.reproduce.check import UNPACKED_DATA
from seedbed.reproduce.contents import Contents, contents, data, repositories
from seedbed.reproduce.entries import BOUNDS, Bounds
from seedbed.terminal import said
from seedbed.track.journal import MAX_BATCH
from seedbed.track.leftover import take_along
from seedbed.track.registered import NAME as MODEL
from seedbed.track.store import Store
from seedbed.track.telling import told
from seedbed.verdict.find import everywhere
from seedbed.verdict.members import search

FROM, PARENT = "seedbed.unpacked_from", "mlflow.parentRunId"
# MLflow takes no more of them at once.
MAX_PARAMS = 100


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
    for run in (run for wanted in filters for run in search(store, everywhere(store), wanted)):
        if run.info.status != "RUNNING" or run.info.run_id == run_id:
            return str(run.info.run_id)
        store.client.delete_run(run.info.run_id)
    return None


def _load(store: Store, run: Contents, ids: Mapping[str, str]) -> str:
    """Makes the run; its new id."""
    from mlflow.entities import Param

    packed = run.told
    tags = {name: text for name, text in packed["tags"].items() if name != PARENT} | {FROM: run.run_id}
    if run.parent in ids:
        tags[PARENT] = ids[str(run.parent)]
    if packed["data"]:
        tags[UNPACKED_DATA] = packed["data"]
    experiment_id = store.experiment(packed["experiment"])
    with told(f"run {packed['name']!r}", do="See to the store, then unpack again."):
        made = store.client.create_run(
            experiment_id, start_time=packed["start_time"], tags=tags, run_name=packed["name"]
        )
        new = str(made.info.run_id)
        params = [Param(name, text) for name, text in packed["params"].items()]
        for start in range(0, len(params), MAX_PARAMS):
            store.client.log_batch(new, params=params[start : start + MAX_PARAMS])
        _load_metrics(store, run, new)
        _load_inputs(store, run, new)
        _load_files(store, run, new)
        _fill_folder(store, run, new)
        store.client.set_terminated(new, packed["status"], packed["end_time"])
    return new


def _load_metrics(store: Store, run: Contents, new: str) -> None:
    from mlflow.entities import Metric

    metrics = [Metric(point.name, point.value, point.time, point.step) for point in run.points()]
    for start in range(0, len(metrics), MAX_BATCH):
        store.client.log_batch(new, metrics=metrics[start : start + MAX_BATCH])


def _load_inputs(store: Store, run: Contents, new: str) -> None:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    inputs = []
    for used in run.told["inputs"]:
        tags = [InputTag(name, text) for name, text in used["tags"].items()]
        inputs.append(DatasetInput(Dataset(**{k: v for k, v in used.items() if k != "tags"}), tags))
    if inputs:
        store.client.log_inputs(new, datasets=inputs)


def _load_files(store: Store, run: Contents, new: str) -> None:
    from mlflow.entities import LoggedModelOutput

    client: Any = store.client
    if (run.folder / "artifacts").is_dir():
        client.log_artifacts(new, str(run.folder / "artifacts"))
    packed = run.told["model"]
    if packed is not None and (run.folder / MODEL).is_dir():
        experiment_id = client.get_run(new).info.experiment_id
        model = client.create_logged_model(experiment_id, MODEL, source_run_id=new, model_type=packed["type"])
        client.log_model_artifacts(model.model_id, str(run.folder / MODEL))
        client.log_outputs(new, [LoggedModelOutput(model.model_id, step=0)])
        client.finalize_logged_model(model.model_id, packed["status"])


def _fill_folder(store: Store, run: Contents, new: str) -> None:
    """The run's local folder: its journal, all of which the store has, and its job in its new place."""
    folder = store.root / "runs" / new
    folder.mkdir(parents=True)
    for name in ("journal.jsonl", "search.journal"):
        if (run.folder / name).is_file():
            shutil.copyfile(run.folder / name, folder / name)
    if (folder / "journal.jsonl").exists():
        (folder / "delivered").write_text(f"{(folder / 'journal.jsonl').stat().st_size}\n")
    if run.job is not None:
        config = json.loads(json.dumps(run.job.config))
        config["track"]["root"] = str(store.root)
        if run.told["data"]:
            config["data"]["root"] = str(store.root / run.told["data"])
        replace(run.job, config=config).save(folder / JOB)
