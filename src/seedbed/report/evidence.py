"""What a report is made from, read from the record once."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from seedbed.errors import StoreError
from seedbed.track.store import Store
from seedbed.track.telling import told
from seedbed.verdict.compare import Comparison, compare
from seedbed.verdict.find import everywhere
from seedbed.verdict.members import Member, members, of_run

# Settings whose learning curves are drawn, best first: more lines cannot be told apart.
NUM_CURVES = 12
STAGE, READS, TEST_SPLIT = "seedbed.stage", "seedbed.num_test_reads", "seedbed.test_split"
VARY = "vary "  # stages of a study of the variance: a random stream, or all

# Of one metric: run id to its (epoch, value), in order.
Histories = Mapping[str, Sequence[tuple[int, float]]]


class Reads(NamedTuple):
    """How often a test split was read.

    Args:
        split: digest of the test split; empty where the runs keep none.
        study: by the runs of this study.
        store: by all runs of the store; None where the split is not known.
    """

    split: str
    study: int
    store: int | None


class Evidence(NamedTuple):
    """Everything that a report tells.

    Args:
        store: where the study is.
        study: the parent run.
        began: when it started, UTC, to the minute.
        members: its runs, in any state.
        comparison: of those that count.
        finalists: of a search whose winner was refitted, the stage before; else None.
        curves: metric to its histories, of the runs that are drawn.
        trials: text of `search/trials.csv`, None where the study was no search.
        space: text of `search/space.json`, likewise.
        packages: name to version, of the first run that kept them.
        reads: one a test split.
    """

    store: Store
    study: Member
    began: str
    members: Sequence[Member]
    comparison: Comparison
    finalists: Comparison | None
    curves: Mapping[str, Histories]
    trials: str | None
    space: str | None
    packages: Mapping[str, str]
    reads: Sequence[Reads]


def gather(store: Store, study_id: str, metric: str | None = None, margin: float | None = None) -> Evidence:
    """Reads what a report needs; histories only of what is drawn.

    Args:
        store: where the study is.
        study_id: its parent run.
        metric: as in `compare`.
        margin: as in `compare`.

    Raises:
        StoreError: for a run without runs under it, and as `compare`.
    """
    run = store.client.get_run(study_id)
    study, found = of_run(run), members(store, study_id)
    if not found:
        raise _no_study(study)
    comparison = compare(_judged(found), metric, margin=margin)
    drawn = [member for row in comparison.rows[:NUM_CURVES] for member in row.runs]
    return Evidence(
        store,
        study,
        datetime.fromtimestamp(run.info.start_time / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC"),
        found,
        comparison,
        _finalists(found, metric, margin),
        {name: histories(store, drawn, name) for name in per_epoch(drawn, comparison.metric)},
        artifact(store, study_id, "search/trials.csv"),
        artifact(store, study_id, "search/space.json"),
        _packages(store, found),
        test_reads(store, found),
    )


def _judged(runs: list[Member]) -> list[Member]:
    """The runs that are compared: of a study of the variance those in which every stream varied."""
    return [run for run in runs if run.tags.get(STAGE) == VARY + "all"] or runs


def _finalists(runs: Sequence[Member], metric: str | None, margin: float | None) -> Comparison | None:
    """The comparison that chose the winner; on validation, because only the refit read the test split."""
    last, before = ([run for run in runs if run.tags.get(STAGE) == stage] for stage in ("refit", "finalists"))
    done = [[run for run in stage if run.status == "FINISHED"] for stage in (last, before)]
    if not all(done):
        return None
    known = {name for run in done[1] for name in run.metrics}
    return compare(before, metric if metric in known else None, margin=margin)


def _no_study(run: Member) -> StoreError:
    parent = run.tags.get("mlflow.parentRunId")
    do = "A study is what seedbed train -m leaves; a run alone has no report."
    return StoreError(
        f"run {run.name} ({run.run_id})",
        expected="a study with runs under it",
        got="none under it",
        do=f"It is part of a study: seedbed report {parent}" if parent else do,
    )


def per_epoch(runs: Sequence[Member], metric: str) -> list[str]:
    """The loss and the compared metric, as they were logged each epoch: validation's where there is one.

    Args:
        runs: those that are drawn.
        metric: what is compared, such as `test/accuracy`.
    """
    logged = {name for run in runs for name in run.metrics}
    last = metric.rpartition("/")[2]
    wanted = [[f"{split}/{name}" for split in ("val", "train")] for name in ("loss", last)]
    found = [next((name for name in names if name in logged), None) for names in wanted]
    return list(dict.fromkeys(name for name in found if name is not None)) or [metric]


def histories(store: Store, runs: Sequence[Member], metric: str) -> dict[str, list[tuple[int, float]]]:
    """The finite values of a metric, step by step; of a step that was logged twice, the last."""
    found = {}
    for run in runs:
        if metric not in run.metrics:
            continue
        points = store.client.get_metric_history(run.run_id, metric)
        steps = {point.step: point.value for point in sorted(points, key=lambda point: point.timestamp)}
        values = [(step, value) for step, value in sorted(steps.items()) if math.isfinite(value)]
        if values:
            found[run.run_id] = values
    return found


def artifact(store: Store, run_id: str, path: str) -> str | None:
    """The text of an artifact; None where the run has none of this path."""
    with told(f"artifact {path} of run {run_id}", do="See to the store's artifacts."):
        if not has_artifact(store, run_id, path):
            return None
        with TemporaryDirectory() as folder:
            return Path(store.client.download_artifacts(run_id, path, folder)).read_text()


def has_artifact(store: Store, run_id: str, path: str) -> bool:
    """Whether the run has a file of this path."""
    listed = store.client.list_artifacts(run_id, str(Path(path).parent))
    return path in [entry.path for entry in listed]


def _packages(store: Store, runs: Sequence[Member]) -> dict[str, str]:
    """What was installed where the runs ran, as the first run that kept it says."""
    for run in runs:
        text = artifact(store, run.run_id, "provenance/packages.txt")
        if text:
            pairs = [line.partition("==") for line in text.splitlines()]
            return {name: version for name, _, version in pairs}
    return {}


def test_reads(store: Store, runs: Sequence[Member]) -> list[Reads]:
    """How often each test split was read, by these runs and by all runs of the store."""
    splits = dict.fromkeys(run.tags.get(TEST_SPLIT, "") for run in runs if num_reads(run))
    return [
        Reads(
            split,
            sum(num_reads(run) for run in runs if run.tags.get(TEST_SPLIT, "") == split),
            _reads_in_store(store, split) if split else None,
        )
        for split in splits
    ]


def num_reads(run: Member) -> int:
    """How often this run read its test split: its count, else once if it has a metric of it."""
    counted = run.tags.get(READS)
    return int(counted) if counted else int(any(name.startswith("test/") for name in run.metrics))


def _reads_in_store(store: Store, split: str) -> int:
    found = store.search(everywhere(store), f"tags.`{TEST_SPLIT}` = '{split}'")
    return sum(num_reads(of_run(run)) for run in found)
