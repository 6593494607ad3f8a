"""A run that did not finish, looked at before it goes on."""

from collections.abc import Iterator, Mapping
from typing import Any

from seedbed.errors import StoreError
from seedbed.track.journal import Point
from seedbed.track.store import Store, told

# What an earlier end left on the run.
ENDINGS = ("seedbed.error", "seedbed.pruned")


def look(store: Store, run_id: str) -> Any:
    """MLflow's own run; a StoreError where there is none."""
    with told(f"run {run_id}", do="Look the id up with `seedbed ui`."):
        return store.client.get_run(run_id)


def open_again(store: Store, run: Any) -> None:
    """Says that the run is RUNNING and that how it ended before is no longer its end."""
    store.client.update_run(run.info.run_id, status="RUNNING")
    for tag in set(ENDINGS) & set(run.data.tags):
        store.client.delete_tag(run.info.run_id, tag)


def check(run: Any, same: Mapping[str, str], *, reopen: bool = False) -> None:
    """Refuses a run that is over, or that is another one.

    Args:
        run: MLflow's own.
        same: tags that must be on it.
        reopen: whether a finished run will do.

    Raises:
        StoreError: naming the run and what differs.
    """
    if run.info.status == "FINISHED" and not reopen:
        raise StoreError(
            f"run {run.info.run_id}",
            expected="one that was cut off",
            got="one that is FINISHED",
            do="Start a new run.",
        )
    for tag, wanted in same.items():
        got = run.data.tags.get(tag)
        if got != wanted:
            raise StoreError(
                f"run {run.info.run_id}",
                expected=f"{tag}={wanted}, because one run is of one configuration and one code",
                got=f"{tag}={got}" if got else "none",
                do="Start a new run, or go back to what it began with.",
            )


def points(store: Store, run: Any) -> Iterator[Point]:
    """Every metric point that the store has of the run."""
    for name in run.data.metrics:
        for metric in store.client.get_metric_history(run.info.run_id, name):
            yield Point(name, metric.value, metric.timestamp, metric.step)
