"""Every file that a run keeps, as local files: its artifacts, and under `model/` those of its model."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any
from urllib.parse import unquote, urlsplit

from seedbed.track.registered import NAME
from seedbed.track.store import Store
from seedbed.track.telling import told

# How MLflow 3.17 names a file that it is writing; one whose writer was killed stays, and is never listed.
UPLOADING = ".artifact.uploading."


@contextmanager
def kept(store: Store, run_id: str) -> Iterator[dict[str, Path]]:
    """The files of a run by their paths; copies, if they had to be fetched from a server, go afterwards.

    Raises:
        StoreError: where the store does not hand them out.
    """
    with TemporaryDirectory() as scratch:
        with told(f"run {run_id}, artifacts", do="See to the store."):
            run = store.client.get_run(run_id)
            folder = _local(run.info.artifact_uri) or _fetched(store, f"runs:/{run_id}/", scratch)
            found = files_in(folder)
            for model in models_of(store, run):
                folder = _local(model.artifact_location) or _fetched(store, model.artifact_location, scratch)
                found |= {f"{NAME}/{path}": file for path, file in files_in(folder).items()}
        yield dict(sorted(found.items()))


def models_of(store: Store, run: Any) -> list[Any]:
    """MLflow's logged models that this run made: one, or none.

    Args:
        store: where the run is.
        run: MLflow's own.
    """
    wanted = f"source_run_id = '{run.info.run_id}'"
    found = store.client.search_logged_models([run.info.experiment_id], filter_string=wanted)
    return [model for model in found if model.name == NAME]


def _local(address: str) -> Path | None:
    """The folder of an address on this machine's own disk; None for one of a server."""
    parts = urlsplit(address)
    return Path(unquote(parts.path)) if parts.scheme in ("", "file") else None


def _fetched(store: Store, address: str, scratch: str) -> Path:
    from mlflow.artifacts import download_artifacts

    fetched = download_artifacts(artifact_uri=address, dst_path=mkdtemp(dir=scratch), tracking_uri=store.uri)
    return Path(fetched)


def files_in(folder: Path) -> dict[str, Path]:
    """What is kept in a folder of artifacts, by its path there; no upload that was cut off."""
    found = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(UPLOADING))
    return {path.relative_to(folder).as_posix(): path for path in found}
