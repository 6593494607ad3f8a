"""What a run keeps beside its metrics: files, data sets, the model; and what it has."""

import abc
import json
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from seedbed.track import dataset, registered
from seedbed.track.store import Store


class Artifacts(abc.ABC):
    """The files of one run; `Record` is the whole of it.

    Args:
        store: an open store.
        run_id: MLflow's id of a run that is in it.
    """

    def __init__(self, store: Store, run_id: str) -> None:
        self.store, self.run_id = store, run_id
        self.folder = store.root / "runs" / run_id

    def log_text(self, text: str, path: str) -> None:
        """Keeps a text as the artifact `path`; undecodable bytes, as surrogates, come out as they were."""
        name = Path(path)
        with TemporaryDirectory(dir=self.folder) as folder:
            file = Path(folder) / name.name
            file.write_bytes(text.encode(errors="surrogateescape"))
            self.log_file(file, "" if name.parent == Path() else name.parent.as_posix())

    def log_json(self, value: Any, path: str) -> None:
        """Keeps plain values as the JSON artifact `path`."""
        self.log_text(json.dumps(value, indent=2) + "\n", path)

    def log_file(self, file: Path, folder: str = "") -> None:
        """Keeps a copy of a local file under its own name in the artifact folder."""
        with self._told(f"artifact {file.name}"):
            self.store.client.log_artifact(self.run_id, str(file), folder or None)

    def log_folder(self, local: Path, folder: str) -> None:
        """Keeps a copy of everything in a local folder in the artifact folder."""
        with self._told(f"artifacts {folder}"):
            self.store.client.log_artifacts(self.run_id, str(local), folder or None)

    def log_dataset(
        self,
        *,
        name: str,
        source: str,
        split: str,
        digest: str,
        profile: Mapping[str, Any],
        schema: Mapping[str, Any] | None = None,
    ) -> None:
        """Says what the run read, as an MLflow dataset input; see `dataset.entity`."""
        entity = dataset.entity(name, source, split, digest, profile, schema)
        with self._told(f"data set {name}"):
            self.store.client.log_inputs(self.run_id, datasets=[entity])

    def log_model(self, folder: Path) -> None:
        """Keeps a predictor's folder as the MLflow model `model` of this run; see `registered.log`."""
        with self._told("model"):
            registered.log(self.store.client, self.run_id, folder)

    def has(self, path: str) -> bool:
        """Whether there is an artifact of this path that is not empty."""
        parent = Path(path).parent
        with self._told("artifacts"):
            found = self.store.client.list_artifacts(
                self.run_id, None if parent == Path() else parent.as_posix()
            )
        return any(entry.path == path and entry.file_size for entry in found)

    def tags(self) -> dict[str, str]:
        """The run's tags, as the store has them now."""
        with self._told("tags"):
            return dict(self.store.client.get_run(self.run_id).data.tags)

    @abc.abstractmethod
    def _told(self, what: str) -> AbstractContextManager[None]:
        """Turns what the store raises into one paragraph that says what of the run it was about."""
