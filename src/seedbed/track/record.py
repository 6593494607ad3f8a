"""One MLflow run, from its start to its status."""

import shutil
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Literal, final
from uuid import uuid4

from seedbed.errors import AwayError, StoreError
from seedbed.track import resumption, room
from seedbed.track.artifacts import Artifacts
from seedbed.track.away import REQUEST_SECONDS, brief
from seedbed.track.hold import is_left
from seedbed.track.load import Load
from seedbed.track.provenance import origin
from seedbed.track.requests import create
from seedbed.track.store import OFFLINE_TAG, Store
from seedbed.track.telling import told
from seedbed.track.values import TAG_LIMIT, Value, as_text, fitted

Status = Literal["FINISHED", "FAILED", "KILLED"]


@final
class Record(Artifacts):
    """One run in the store and its local folder.

    `folder` holds the journal of all that the run says and whatever it works with, such as checkpoints.

    Args:
        store: an open store.
        run_id: MLflow's id of a run that is in it, or the local id of one that is to be.
    """

    def __init__(self, store: Store, run_id: str) -> None:
        super().__init__(store, run_id)
        self._load: Load | None = None

    @classmethod
    def start(
        cls,
        store: Store,
        *,
        experiment: str,
        name: str,
        params: Mapping[str, Value],
        tags: Mapping[str, str],
        parent_run_id: str | None = None,
        note: str = "",
        may_wait: bool = False,
    ) -> "Record":
        """A new run, RUNNING, with its params.

        Args:
            store: where it goes.
            experiment: MLflow experiment, made where it is missing.
            name: what differs first; the UI shows about 14 characters.
            params: what the UI compares; a text over 6000 characters goes to `params/NAME.txt` whole.
            tags: what the UI can be searched for; over 8000 characters likewise.
            parent_run_id: the study's run.
            note: markdown, shown as the run's description.
            may_wait: whether it begins under a local id where the store is away.

        Raises:
            AwayError: where the store is away and the run may not wait for it.
            StoreError: where the store does not take it.
        """
        family = {"mlflow.parentRunId": parent_run_id} if parent_run_id else {}
        family |= {OFFLINE_TAG: "true"} if store.offline else {}
        short, whole = fitted({**origin(), **tags, **family}, TAG_LIMIT, "tags")
        now = time.time_ns() // 1_000_000
        local_id = uuid4().hex
        said = {"experiment": experiment, "name": name, "tags": short, "local_id": local_id}
        run_id = None
        try:
            with brief(2 * REQUEST_SECONDS), told(f"run {name!r}", do="See to the store, then start again."):
                run_id = create(store, store.experiment(experiment), said, now)
        except AwayError:
            if not may_wait:
                raise
        record = cls(store, run_id or local_id)
        record._begin()
        room.keep_back(record.folder)
        known = {"run_id": run_id} if run_id else {}
        record._journal.write("start", {**said, **known, "store": store.address}, now)
        record._log_texts("params", {key: as_text(value) for key, value in params.items()})
        for path, text in whole.items():
            record.log_text(text, path)
        if note:
            record.set_note(note)
        return record

    @classmethod
    def resume(
        cls,
        store: Store,
        run_id: str,
        *,
        params: Mapping[str, Value],
        same: Mapping[str, str],
        reopen: bool = False,
    ) -> "Record":
        """A run that did not finish, RUNNING again.

        What is on record stays; params that a crash kept from it are added. Where the store is away,
        the run's own folder says what is on record.

        Args:
            store: where the run is.
            run_id: MLflow's id, or the run's local one.
            params: as `start` was given them.
            same: tags that must be on the run, such as the signature.
            reopen: a finished one too, such as a study that is to have more runs.

        Raises:
            AwayError: where the store is away and the run's folder is not here.
            StoreError: for a run that is not there, is finished, is another one than `same` says, or
                that another process is at work on.
        """
        run = resumption.standing(store, run_id)
        record = cls(store, run_id)
        died = is_left(record.folder)
        record._begin()  # before the run is looked at: its holder may just finish it
        try:
            run = resumption.standing(store, run_id)
            if died and record.waits:  # it said how it ended, and nobody has heard
                run = run._replace(status="RUNNING")
            resumption.check(run, same, reopen=reopen)
        except StoreError:
            record._let_go(over=run.status == "FINISHED")
            raise
        room.keep_back(record.folder)
        record._open_again(run)
        missing = {name: as_text(value) for name, value in params.items() if name not in run.params}
        record._log_texts("params", missing)
        record._journal.adopt(run.points())
        return record

    def log_metrics(self, metrics: Mapping[str, float], step: int) -> None:
        """Writes points to the journal, with the time of now; `deliver` takes them to the store."""
        self._journal.append(metrics, step)

    @contextmanager
    def system_metrics(self, *, enabled: bool) -> Iterator[None]:
        """Notes the machine's load as `system/...` metrics until left, or until the run is closed."""
        if not enabled:
            yield
            return
        self._load = Load(self.log_metrics, first_step=self._journal.last_step("system/") + 1)
        try:
            yield
        finally:
            self._load.stop()

    def finish(self, status: Status, *, patient: bool = True) -> None:
        """Closes the run, and waits a while for a store that is away; then what is left waits here.

        Args:
            status: how it ended.
            patient: whether there is time to wait.

        Raises:
            StoreError: where the store does not take it.
        """
        room.give_back(self.folder)
        if self._load is not None:
            self._load.stop()
        self._journal.write("status", status)
        arrived = self._delivery.last(self.store.patience_seconds if patient else 0.0)
        self._journal.close()
        if not arrived:
            self._delivery.tell_waiting()
        self._let_go(over=status == "FINISHED")

    def withdraw(self) -> None:
        """Takes the run back, closed before: it is as if it had never been started."""
        with told(f"run {self.run_id}, deletion", do="Delete it with `mlflow runs delete`, or in the UI."):
            self.store.client.delete_run(self.run_id)
        shutil.rmtree(self.folder)

    def leave(self) -> None:
        """Delivers what is left and lets go of the run, which stays RUNNING."""
        room.give_back(self.folder)
        self._delivery.last(0.0)
        self._journal.close()
        if self._hold is not None:
            self._hold.release(forget=False)

    def fail(self, error: BaseException) -> None:
        """Closes the run as FAILED, with the trace as artifact `error.txt` and its last line as a tag."""
        room.give_back(self.folder)
        trace = "".join(traceback.format_exception(error))
        self._delivery.hurry()  # a trace that is refused must not keep the tag back
        with suppress(OSError, StoreError):  # the tag says more of a full disk than the trace would
            (self.folder / "error.txt").unlink(missing_ok=True)
            (self.folder / "error.txt").write_text(trace, errors="backslashreplace")
            self.log_file(self.folder / "error.txt")
        self.set_tags({"seedbed.error": f"{type(error).__name__}: {error}".partition("\n")[0]})
        self.finish("FAILED")

    def _open_again(self, run: resumption.Standing) -> None:
        """Says that the run is RUNNING and that how it ended before is no longer its end."""
        if self._journal.mirror.start is None:  # its folder is not where it began
            self._journal.write("start", run.adopted())
        endings = sorted(set(resumption.ENDINGS) & set(run.tags))
        if endings:
            self._journal.write("untag", endings)
        self._note("status", "RUNNING")
