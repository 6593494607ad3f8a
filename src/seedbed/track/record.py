"""One MLflow run, from its start to its status."""

import traceback
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Literal, final

from seedbed.errors import StoreError
from seedbed.track import resumption, room
from seedbed.track.artifacts import Artifacts
from seedbed.track.hold import Hold
from seedbed.track.journal import Journal, Point
from seedbed.track.load import Load
from seedbed.track.provenance import origin
from seedbed.track.store import Store, told
from seedbed.track.values import PARAM_LIMIT, TAG_LIMIT, Value, as_text, fitted

Status = Literal["FINISHED", "FAILED", "KILLED"]
NOTHING_LOST = "Nothing is lost: the points are in the run's folder and go out with the next delivery."
NOTE = "mlflow.note.content"
REST = "\n\n*The rest stands in the artifact `note.md`.*"


@final
class Record(Artifacts):
    """One run in the store and its local folder.

    `folder` holds the journal of metric points and whatever the run works with, such as checkpoints.

    Args:
        store: an open store.
        run_id: MLflow's id of a run that is in it.
    """

    def __init__(self, store: Store, run_id: str) -> None:
        super().__init__(store, run_id)
        self._journal = Journal(self.folder)
        self._load: Load | None = None
        self._hold: Hold | None = None

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

        Raises:
            StoreError: where the store does not take it.
        """
        experiment_id = store.experiment(experiment)
        family = {"mlflow.parentRunId": parent_run_id} if parent_run_id else {}
        short, whole = fitted({**origin(), **tags, **family}, TAG_LIMIT, "tags")
        with told(f"run {name!r}", do="See to the store, then start again."):
            run = store.client.create_run(experiment_id, tags=short, run_name=name)
        record = cls(store, run.info.run_id)
        record._hold = Hold(record.folder)
        room.keep_back(record.folder)
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

        What is on record stays; params that a crash kept from it are added.

        Args:
            store: where the run is.
            run_id: MLflow's id.
            params: as `start` was given them.
            same: tags that must be on the run, such as the signature.
            reopen: a finished one too, such as a study that is to have more runs.

        Raises:
            StoreError: for a run that is not there, is finished, is another one than `same` says, or
                that another process is at work on.
        """
        resumption.look(store, run_id)
        record = cls(store, run_id)
        record._hold = Hold(record.folder)  # before the run is looked at: its holder may just finish it
        run = resumption.look(store, run_id)
        try:
            resumption.check(run, same, reopen=reopen)
        except StoreError:
            record._hold.release(forget=run.info.status == "FINISHED")
            raise
        room.keep_back(record.folder)
        with record._told("status"):
            resumption.open_again(store, run)
        missing = {name: as_text(value) for name, value in params.items() if name not in run.data.params}
        record._log_texts("params", missing)
        record._journal.adopt(resumption.points(store, run))
        return record

    def log_metrics(self, metrics: Mapping[str, float], step: int) -> None:
        """Writes points to the journal, with the time of now; `deliver` takes them to the store."""
        self._journal.append(metrics, step)

    def deliver(self) -> None:
        """Takes the journals' points to the store, in order, up to 1000 a request.

        Delivering a point twice does no harm: its time was taken once, in the journal, and MLflow's
        stores keep one row for one (name, time, step, value). So a crash between sending and noting
        that it was sent costs one request, no more.

        Raises:
            StoreError: where the store does not take them; the next delivery goes on from there.
        """
        from mlflow.entities import Metric

        for journal in (self._journal, *self._ranks()):
            for points, end in journal.undelivered():
                metrics = [Metric(point.name, point.value, point.time, point.step) for point in points]
                with self._told("metrics", do=NOTHING_LOST):
                    self.store.client.log_batch(self.run_id, metrics=metrics, synchronous=True)
                    journal.mark_delivered(end)

    def points(self) -> list[Point]:
        """Every point of the run itself, in the order of writing; its ranks' devices have their own."""
        return self._journal.points()

    def _ranks(self) -> Iterator[Journal]:
        """The journals that the processes of this run keep of their devices."""
        return map(Journal, sorted(self.folder.glob("rank_*")))

    def set_tags(self, tags: Mapping[str, str]) -> None:
        """Sets tags; a text over 8000 characters goes to `tags/NAME.txt` whole."""
        self._log_texts("tags", tags)

    def _log_texts(self, kind: Literal["params", "tags"], texts: Mapping[str, str]) -> None:
        from mlflow.entities import Param, RunTag

        entity, limit = (Param, PARAM_LIMIT) if kind == "params" else (RunTag, TAG_LIMIT)
        short, whole = fitted(texts, limit, kind)
        entities = {kind: [entity(name, text) for name, text in short.items()]}
        for path, text in whole.items():  # first, so that no crash leaves a text that points nowhere
            self.log_text(text, path)
        with self._told(kind):
            self.store.client.log_batch(self.run_id, **entities, synchronous=True)

    def set_note(self, markdown: str) -> None:
        """Sets the description that the UI shows; over 8000 characters it goes to `note.md` whole."""
        if len(markdown) > TAG_LIMIT:
            self.log_text(markdown, "note.md")
            kept = markdown[: TAG_LIMIT - len(REST)].rpartition("\n")[0]
            markdown = kept + REST
        self.set_tags({NOTE: markdown})

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

    def finish(self, status: Status) -> None:
        """Delivers what is left and closes the run.

        Raises:
            StoreError: where the store does not take it.
        """
        room.give_back(self.folder)
        if self._load is not None:
            self._load.stop()
        self.deliver()
        self._journal.close()
        with self._told("status", do="The run still counts as RUNNING; nothing else is missing."):
            self.store.client.set_terminated(self.run_id, status)
        if self._hold is not None:
            self._hold.release(forget=status == "FINISHED")

    def fail(self, error: BaseException) -> None:
        """Closes the run as FAILED, with the trace as artifact `error.txt` and its last line as a tag."""
        room.give_back(self.folder)
        trace = "".join(traceback.format_exception(error))
        with suppress(OSError, StoreError):  # the tag says more of a full disk than the trace would
            (self.folder / "error.txt").write_text(trace, errors="backslashreplace")
            self.log_file(self.folder / "error.txt")
        self.set_tags({"seedbed.error": f"{type(error).__name__}: {error}".partition("\n")[0]})
        self.finish("FAILED")

    def _told(
        self, what: str, do: str = "See to the store; the run's folder keeps what it has."
    ) -> AbstractContextManager[None]:
        return told(f"run {self.run_id}, {what}", do=do)
