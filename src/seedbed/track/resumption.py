"""A run that did not finish, looked at before it goes on: in the store, or in its own folder."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from seedbed.errors import AwayError, StoreError
from seedbed.track.away import REQUEST_SECONDS, brief
from seedbed.track.entries import Mirror, Point
from seedbed.track.journal import JOURNAL, Journal
from seedbed.track.store import Store
from seedbed.track.telling import told

# What an earlier end left on the run.
ENDINGS = ("seedbed.error", "seedbed.pruned")


class Standing(NamedTuple):
    """How a run stands.

    Args:
        run_id: MLflow's id, or the local one of a run that the store does not know yet.
        status: MLflow's.
        params: of the run, as texts.
        tags: of the run.
        points: hands out every metric point that the store has.
    """

    run_id: str
    status: str
    params: Mapping[str, str]
    tags: Mapping[str, str]
    points: Callable[[], Iterable[Point]]

    def adopted(self) -> dict[str, Any]:
        """The first line of a journal that takes the run up here."""
        said = {"status": self.status, "params": dict(self.params), "tags": dict(self.tags)}
        return {"run_id": self.run_id, "adopted": True, **said}


def look(store: Store, run_id: str) -> Any:
    """MLflow's own run; a StoreError where there is none."""
    with told(f"run {run_id}", do="Look the id up with `seedbed ui`."):
        return store.client.get_run(run_id)


def standing(store: Store, run_id: str) -> Standing:
    """How the run stands, in the store, or where that is away or does not know it, in its folder.

    Raises:
        AwayError: where the store is away and the folder is not here.
        StoreError: where there is no such run.
    """
    journal = _journal(store, run_id)
    mirror = journal.mirror if journal else None
    if mirror is not None and mirror.run_id is None:
        return _own(run_id, mirror)
    try:
        with brief(2 * REQUEST_SECONDS):
            run = look(store, mirror.run_id if mirror and mirror.run_id else run_id)
    except AwayError:
        if mirror is None:
            raise
        return _own(run_id, mirror)
    found = Standing(
        run.info.run_id, run.info.status, run.data.params, run.data.tags, lambda: points(store, run)
    )
    if journal is None or not journal.waits():
        return found
    mirror = journal.mirror  # the store has not heard of all
    params, tags = {**found.params, **mirror.params}, {**found.tags, **mirror.tags}
    return found._replace(status=mirror.status, params=params, tags=tags)


def _own(run_id: str, mirror: Mirror) -> Standing:
    return Standing(mirror.run_id or run_id, mirror.status, mirror.params, mirror.tags, lambda: ())


def _journal(store: Store, run_id: str) -> Journal | None:
    """The run's journal; None where it is not here, or is of before it told more than metrics."""
    folder = store.root / "runs" / run_id
    if not (folder / JOURNAL).exists():
        return None
    journal = Journal(folder)
    return journal if journal.mirror.start is not None else None


def check(run: Standing, same: Mapping[str, str], *, reopen: bool = False) -> None:
    """Refuses a run that is over, or that is another one.

    Args:
        run: as `standing` found it.
        same: tags that must be on it.
        reopen: whether a finished run will do.

    Raises:
        StoreError: naming the run and what differs.
    """
    if run.status == "FINISHED" and not reopen:
        raise StoreError(
            f"run {run.run_id}",
            expected="one that was cut off",
            got="one that is FINISHED",
            do="Start a new run.",
        )
    for tag, wanted in same.items():
        got = run.tags.get(tag)
        if got != wanted:
            raise StoreError(
                f"run {run.run_id}",
                expected=f"{tag}={wanted}, because one run is of one configuration and one code",
                got=f"{tag}={got}" if got else "none",
                do="Start a new run, or go back to what it began with.",
            )


def points(store: Store, run: Any) -> Iterator[Point]:
    """Every metric point that the store has of the run."""
    for name in run.data.metrics:
        with told(f"run {run.info.run_id}, metrics", do="See to the store, then resume again."):
            history = store.client.get_metric_history(run.info.run_id, name)
        for metric in history:
            yield Point(name, metric.value, metric.timestamp, metric.step)
