"""What a run says beside its metrics: params, tags, files, data sets, the model; and what it has said."""

import abc
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from seedbed.track import registered
from seedbed.track.journalled import Journalled
from seedbed.track.outbox import described_tree
from seedbed.track.values import PARAM_LIMIT, TAG_LIMIT, fitted

NOTE = "mlflow.note.content"
REST = "\n\n*The rest stands in the artifact `note.md`.*"


class Artifacts(Journalled, abc.ABC):
    """What one run keeps; `Record` is the whole of it."""

    def log_text(self, text: str, path: str) -> None:
        """Keeps a text as the artifact `path`; undecodable bytes, as surrogates, come out as they were."""
        name = Path(path)
        self._keep(self._outbox.put_text(text, name.name), "" if name.parent == Path() else str(name.parent))

    def log_json(self, value: Any, path: str) -> None:
        """Keeps plain values as the JSON artifact `path`."""
        self.log_text(json.dumps(value, indent=2) + "\n", path)

    def log_file(self, file: Path, folder: str = "") -> None:
        """Keeps a copy of a local file under its own name in the artifact folder."""
        self._keep(self._outbox.put(file), folder)

    def log_folder(self, local: Path, folder: str) -> None:
        """Keeps a copy of everything in a local folder in the artifact folder."""
        self._keep(self._outbox.put(local), folder)

    def _keep(self, kept: Path, folder: str) -> None:
        paths = described_tree(kept, folder)
        self._note("artifact", {"file": self._outbox.named(kept), "folder": folder, "paths": paths})

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
        said = {"name": name, "source": source, "split": split, "digest": digest}
        self._note("dataset", {**said, "profile": dict(profile), "schema": schema and dict(schema)})

    def log_model(self, folder: Path) -> None:
        """Keeps a predictor's folder as the MLflow model `model` of this run; see `registered.log`."""
        kept = self._outbox.place() / registered.NAME
        kept.mkdir()
        with self._told("model"):
            registered.write(kept, folder, run_id=self.run_id)
        paths = described_tree(kept, registered.NAME)
        self._note("model", {"file": self._outbox.named(kept), "paths": paths})

    def set_tags(self, tags: Mapping[str, str]) -> None:
        """Sets tags; a text over 8000 characters goes to `tags/NAME.txt` whole."""
        self._log_texts("tags", tags)

    def take_tags(self, names: Iterable[str]) -> None:
        """Takes tags away that the run has."""
        self._note("untag", sorted(names))

    def _log_texts(self, kind: Literal["params", "tags"], texts: Mapping[str, str]) -> None:
        short, whole = fitted(texts, PARAM_LIMIT if kind == "params" else TAG_LIMIT, kind)
        for path, text in whole.items():  # first, so that no crash leaves a text that points nowhere
            self.log_text(text, path)
        if short:
            self._note(kind, short)

    def set_note(self, markdown: str) -> None:
        """Sets the description that the UI shows; over 8000 characters it goes to `note.md` whole."""
        if len(markdown) > TAG_LIMIT:
            self.log_text(markdown, "note.md")
            kept = markdown[: TAG_LIMIT - len(REST)].rpartition("\n")[0]
            markdown = kept + REST
        self.set_tags({NOTE: markdown})

    def has(self, path: str) -> bool:
        """Whether there is an artifact of this path that is not empty."""
        mirror = self._journal.mirror
        if path in mirror.artifacts or mirror.complete:
            return bool(mirror.artifacts.get(path, {}).get("bytes"))
        parent = Path(path).parent
        with self._told("artifacts"):
            found = self.store.client.list_artifacts(
                self.run_id, None if parent == Path() else parent.as_posix()
            )
        return any(entry.path == path and entry.file_size for entry in found)

    def kept(self) -> dict[str, dict[str, Any]] | None:
        """Digest and size of each artifact by its path, the model's below `model/`; None: ask the store."""
        mirror = self._journal.mirror
        return mirror.artifacts if mirror.complete else None

    def tags(self) -> dict[str, str]:
        """The run's tags, as it has set them itself."""
        mirror = self._journal.mirror
        if mirror.start is not None:
            return dict(mirror.tags)
        with self._told("tags"):
            return dict(self.store.client.get_run(self.run_id).data.tags)
