"""From what somebody typed to the run or the study that is meant."""

import os
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from seedbed.errors import StoreError
from seedbed.track.store import Store
from seedbed.verdict.members import Member, is_test, members, of_run

# Fewer characters of an id are too easily met by chance.
PREFIX = re.compile(r"[0-9a-f]{4,32}")
NUM_LISTED = 8
EXAMPLE = "params.model = 'cnn' and metrics.`test/accuracy` > 0.9"
TOP_LEVEL = "tags.`mlflow.parentRunId` IS NULL"


def opened(root: Path) -> Store:
    """The store that is there, for commands that only read.

    Args:
        root: folder of the store; MLFLOW_TRACKING_URI goes before it.

    Raises:
        StoreError: where nothing has been recorded.
    """
    if not os.environ.get("MLFLOW_TRACKING_URI") and not (root / "mlflow.db").exists():
        raise StoreError(
            f"record store {root}",
            expected="a folder with runs in mlflow.db",
            got="none",
            do="Name it with --root FOLDER, or train something first.",
        )
    return Store.open(root)


def find(store: Store, text: str) -> Member:
    """The run, or the study's parent run, of this id, prefix of an id, or name.

    Args:
        store: an open store.
        text: MLflow's run id; at least four characters that only one id begins with; the name of one run;
            or `last`, the run or study that was started last.

    Raises:
        StoreError: for none or several such runs, with those that could be meant.
    """
    experiment_ids = everywhere(store)
    latest = text == "last"
    found = _latest(store, experiment_ids, 1) if latest else _matching(store, experiment_ids, text)
    if len(found) != 1:
        raise _unclear(text, found, store, experiment_ids)
    return of_run(found[0])


def _matching(store: Store, experiment_ids: Sequence[str], text: str) -> list[Any]:
    quote = '"' if "'" in text else "'"
    # No filter of MLflow can hold a name with both kinds of quotes.
    filter_string = "" if quote in text else f"attributes.run_name = {quote}{text}{quote}"
    found = [run for run in store.search(experiment_ids, filter_string) if run.info.run_name == text]
    if PREFIX.fullmatch(text):
        found += store.search(experiment_ids, f"attributes.run_id LIKE '{text}%'")
    return list({run.info.run_id: run for run in found}.values())


def _latest(store: Store, experiment_ids: Sequence[str], number: int) -> list[Any]:
    """The runs and studies that are in no other, newest first."""
    found = store.client.search_runs(
        list(experiment_ids), TOP_LEVEL, order_by=["attributes.start_time DESC"], max_results=number
    )
    return list(found)


def everywhere(store: Store) -> list[str]:
    """The ids of all experiments."""
    found, token = [], None
    while True:
        page = store.client.search_experiments(page_token=token)
        found += [experiment.experiment_id for experiment in page]
        token = page.token
        if not token:
            return found


def is_study(run: Member) -> bool:
    """Whether this program made it as the parent of runs."""
    return run.tags.get("seedbed.kind") == "study"


def runs_of(store: Store, run: Member) -> list[Member]:
    """The runs of a study, oldest first; a single run is its own and only one."""
    children = members(store, run.run_id)
    return children if children or is_study(run) else [run]


def filtered(store: Store, filter_string: str) -> list[Member]:
    """The runs of all experiments that match, oldest first; neither studies nor tests of a model are runs.

    Args:
        store: an open store.
        filter_string: MLflow's search syntax; empty: all runs.

    Raises:
        StoreError: for a filter that MLflow does not understand.
    """
    from mlflow.exceptions import MlflowException

    try:
        matching = [of_run(run) for run in store.search(everywhere(store), filter_string)]
    except MlflowException as error:
        raise StoreError(
            f"--runs {filter_string!r}",
            expected=f"MLflow's search syntax, such as {EXAMPLE!r}",
            got=str(error).partition("\n")[0],
            do="Correct it.",
        ) from error
    found = [run for run in matching if not is_test(run)]
    parents = {run.tags.get("mlflow.parentRunId") for run in found}
    return [run for run in found if not is_study(run) and run.run_id not in parents]


def _unclear(text: str, found: Sequence[Any], store: Store, experiment_ids: Sequence[str]) -> StoreError:
    if found:
        return StoreError(
            f"run {text!r}",
            expected="the id, a prefix of the id, or the name of one run",
            got=f"one that {len(found)} have: {_listed(found)}",
            do="Give the id, or four characters or more of its beginning.",
        )
    near = _latest(store, experiment_ids, NUM_LISTED)
    return StoreError(
        f"run {text!r}",
        expected="the id, at least four characters of its beginning, the name of a run, or last",
        got=f"none of this name or id; the latest are {_listed(near)}" if near else "an empty store",
        do="Name one of these, or another store with --root FOLDER." if near else "Train something first.",
    )


def _listed(runs: Sequence[Any]) -> str:
    more = f" and {len(runs) - NUM_LISTED} more" if len(runs) > NUM_LISTED else ""
    return ", ".join(_described(run.info) for run in runs[:NUM_LISTED]) + more


def _described(info: Any) -> str:
    started = datetime.fromtimestamp(info.start_time / 1000, tz=UTC)
    return f"{info.run_name} ({info.run_id[:8]}, {started:%Y-%m-%d %H:%M} UTC)"
