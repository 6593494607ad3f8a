"""Where the record lives: one SQLite file with a folder of artifacts, or a tracking server."""

import os
import re
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from seedbed.errors import AwayError, StoreError
from seedbed.track.address import check, check_folders, in_full
from seedbed.track.telling import shown, told

# Of one page of a search, as many as MLflow gives.
MAX_RESULTS = 1000
# Set by a shell or another program, these would move points, params or the model to another run.
DIVERTING = (
    "MLFLOW_RUN_ID",
    "MLFLOW_EXPERIMENT_ID",
    "MLFLOW_EXPERIMENT_NAME",
    "MLFLOW_ACTIVE_MODEL_ID",
    "_MLFLOW_ACTIVE_MODEL_ID",
    "MLFLOW_ENABLE_ASYNC_LOGGING",
)


# On a run that was recorded without a network, for `seedbed sync`.
OFFLINE_TAG = "seedbed.offline"


class Store:
    """An open record store.

    Args:
        uri: MLflow's address of the store.
        root: local folder of the runs' work, and of the artifacts where the store is local.
    """

    def __init__(self, uri: str, root: Path) -> None:
        self.uri, self.root = uri, root
        self.patience_seconds, self.deliver_seconds, self.offline = 0.0, 0.0, False

    @cached_property
    def client(self) -> Any:
        """MLflow's own; the first look at a database, none at a server."""
        do = "Set track.root or MLFLOW_TRACKING_URI to another store."
        with told(f"record store {shown(self.uri)}", do=do):
            from mlflow import MlflowClient

            # The registry too: left out, it follows MLflow's global state.
            return MlflowClient(self.uri, registry_uri=self.uri)

    @classmethod
    def open(
        cls,
        root: Path,
        uri: str | None = None,
        *,
        may_be_away: bool = False,
        offline: bool = False,
        patience_seconds: float = 0.0,
        deliver_seconds: float = 0.0,
    ) -> "Store":
        """The store of a folder, made where it is missing.

        Args:
            root: folder of the store.
            uri: `sqlite:///FILE` or `http(s)://SERVER`; None: the environment's MLFLOW_TRACKING_URI,
                else `mlflow.db` in `root`.
            may_be_away: whether one that cannot be reached now will do.
            offline: in `root` whatever the environment says; its runs are for `seedbed sync`.
            patience_seconds: how long the end of a run waits for one that is away.
            deliver_seconds: least time from one delivery of a run to the next, but for the last.

        Raises:
            AwayError: for one that cannot be reached now.
            StoreError: for a store that cannot be written or understood.
        """
        root = root.absolute()
        given = uri or (None if offline else os.environ.get("MLFLOW_TRACKING_URI"))
        uri = given or f"sqlite:///{root / 'mlflow.db'}"
        for name in DIVERTING:
            os.environ.pop(name, None)
        # MLflow would otherwise report to its makers, in two threads a process.
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        # Our own last words say where to look; MLflow would add two lines a run.
        os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
        # And a bar for each small file that is read.
        os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
        check_folders(root)
        uri = in_full(uri)
        try:
            check(uri, root)
        except AwayError:
            if not may_be_away:
                raise
        store = cls(uri, root)
        store.patience_seconds, store.deliver_seconds = patience_seconds, deliver_seconds
        store.offline = offline
        return store

    @property
    def address(self) -> str:
        """Where it is, without a password, and the same after its folder was moved."""
        return shown(self.uri).replace(f"{self.root}/", "")

    def search(self, experiment_ids: Iterable[str], filter_string: str) -> list[Any]:
        """MLflow's runs that match, oldest first, page by page."""
        found: list[Any] = []
        token = None
        while True:
            page = self.client.search_runs(
                list(experiment_ids),
                filter_string=filter_string,
                order_by=["attributes.start_time ASC"],
                max_results=MAX_RESULTS,
                page_token=token,
            )
            found += page
            token = page.token
            if not token:
                return found

    def experiment(self, name: str) -> str:
        """The id of the experiment of this name, made where it is missing.

        Raises:
            StoreError: where it was deleted, or keeps its artifacts in a folder that is gone.
        """
        with told(
            f"MLflow experiment {name!r}",
            do="See to the store, or choose another name: track.experiment=NAME.",
        ):
            found = self.client.get_experiment_by_name(name) or self._create_experiment(name)
        if found.lifecycle_stage == "deleted":
            raise StoreError(
                f"track.experiment={name}",
                expected="an experiment that is there or not yet there",
                got="one that was deleted",
                do=f"Run `mlflow experiments restore --experiment-id {found.experiment_id}`, or choose "
                "another name.",
            )
        self._check_location(name, found.artifact_location)
        return str(found.experiment_id)

    def _create_experiment(self, name: str) -> Any:
        """Creates the experiment, or finds the one that another process created meanwhile."""
        from mlflow.exceptions import MlflowException

        # Named explicitly, because MLflow's own default depends on the working directory.
        folder = self.root / "artifacts" / re.sub(r"[^\w-]", "_", name)
        location = folder.as_uri() if self.uri.startswith("sqlite:") else None
        try:
            return self.client.get_experiment(self.client.create_experiment(name, artifact_location=location))
        except MlflowException as error:
            found = self.client.get_experiment_by_name(name)
            if error.error_code != "RESOURCE_ALREADY_EXISTS" or found is None:
                raise
            return found

    def _check_location(self, name: str, location: str) -> None:
        """Refuses an experiment of a store that was moved: its artifacts would go to the old place."""
        folder = Path(unquote(urlsplit(location).path))
        ours = folder.is_relative_to(self.root / "artifacts")
        if location.startswith(("file:", "/")) and not ours and not folder.is_dir():
            raise StoreError(
                f"track.experiment={name}",
                expected=f"artifacts in {self.root / 'artifacts'}",
                got=f"an experiment that keeps them in {folder}, which is gone (was the store moved?)",
                do="Move the store back, or choose another name.",
            )
