"""Settings of a study with n, mean, spread and interval, read back from the record."""

import json
import math
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from urllib.parse import quote

import numpy as np

from seedbed.verdict import tables
from seedbed.verdict.grouping import fold_ratio, grouped, labels
from seedbed.verdict.members import Member
from seedbed.verdict.statistics import Description, describe


class Row(NamedTuple):
    """One setting: the params that tell it apart, and one metric over its seeds; see `Description`."""

    labels: dict[str, str]
    num_runs: int
    mean: float
    deviation: float | None
    low: float | None
    high: float | None
    interquartile_mean: float

    @property
    def description(self) -> Description:
        return Description(*self[1:])


def headline(runs: Iterable[Member]) -> str:
    """The metric a study is judged by.

    Test accuracy where every finished run read the test split; else what the runs of a search were
    chosen by; else validation accuracy.
    """
    finished = [run for run in runs if run.status == "FINISHED"]
    if finished and all("test/accuracy" in run.metrics for run in finished):
        return "test/accuracy"
    objectives = {run.tags.get("seedbed.objective", "") for run in finished}
    return objectives.pop() if len(objectives) == 1 and "" not in objectives else "best_val/accuracy"


def summarise(runs: Sequence[Member], metric: str) -> list[Row]:
    """One row a setting, in the order of first appearance, of its finished runs with a finite value.

    The interval is Student's t over the runs, 95 %: it exists from two runs on. Where the runs are folds
    it is corrected for the training examples that they share.
    """
    groups = grouped([run for run in runs if run.status == "FINISHED" and _is_number(run, metric)])
    return [
        Row(label, *describe(np.array([run.metrics[metric] for run in group]), fold_ratio(group)))
        for label, group in zip(labels(groups), groups, strict=True)
    ]


def _is_number(run: Member, metric: str) -> bool:
    return math.isfinite(run.metrics.get(metric, math.nan))


def mean_name(row: Row, metric: str) -> str:
    """What the setting's mean is called on the parent, in the characters that MLflow allows."""
    label = re.sub(r"[^\w.:-]+", "_", " ".join(row.labels.values())).strip("_")
    return f"{label}/{metric}"


def as_csv(rows: Sequence[Row], metric: str) -> str:
    """One row a setting, every number in full."""
    told = [(row.labels, row.description) for row in rows]
    return tables.settings_csv(told, metric)


def as_markdown(rows: Sequence[Row], metric: str) -> str:
    head = [*(rows[0].labels if rows else []), "n", f"mean {metric}", "95 % interval"]
    return tables.markdown(head, [cells(row) for row in rows])


def note(rows: Sequence[Row], metric: str, runs: Sequence[Member], failed: Sequence[str]) -> str:
    """The study's description in the UI: table, how to read it, what failed, where to compare."""
    told = [
        as_markdown(rows, metric),
        f"Mean of `{metric}` over n runs a setting; Student's t interval, which covers the mean over all"
        " seeds in 95 of 100 such studies if the runs scatter normally.",
    ]
    broken = [run.name for run in runs if run.status == "FINISHED" and not _is_number(run, metric)]
    if broken:
        told.append(f"**Without a number in `{metric}`, and in no mean:** " + ", ".join(broken))
    if failed:
        told.append("**Failed, and in no mean:** " + ", ".join(failed))
    ids = json.dumps([run.run_id for run in runs])
    address = f"#/compare-runs?runs={quote(ids)}&experiments={quote(json.dumps([runs[0].experiment_id]))}"
    told.append(f"[Compare all {len(runs)} runs]({address}&workflowType=machine_learning)")
    return "\n\n".join(told)


def cells(row: Row) -> list[str]:
    """A row as the texts of its table cells."""
    label, description = list(row.labels.values()), row.description
    mean, interval = tables.number(row.mean), tables.interval(description.low, description.high)
    return [*label, str(row.num_runs), mean, interval]
