"""Settings of a study with n, mean, spread and interval, read back from the record."""

import csv
import io
import json
import re
import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import quote

from scipy import stats

from seedbed.study.members import Member

CONFIDENCE = 0.95


class Row(NamedTuple):
    """One setting: the params that tell it apart, and one metric over its seeds."""

    labels: dict[str, str]
    num_runs: int
    mean: float
    deviation: float | None
    low: float | None
    high: float | None


def headline(runs: Iterable[Member]) -> str:
    """The metric a study is judged by: test accuracy where every finished run read the test split."""
    finished = [run for run in runs if run.status == "FINISHED"]
    read = finished and all("test/accuracy" in run.metrics for run in finished)
    return "test/accuracy" if read else "best_val/accuracy"


def summarise(runs: Sequence[Member], metric: str) -> list[Row]:
    """One row a setting, in the order of first appearance.

    The interval is Student's t over the runs, 95 %: it exists from two runs on.
    """
    groups: dict[str, list[Member]] = defaultdict(list)
    for run in runs:
        if run.status == "FINISHED" and metric in run.metrics:
            groups[run.setting].append(run)
    telling = _telling([group[0].params for group in groups.values()])
    return [
        _row({key: group[0].params.get(key, "") for key in telling}, [run.metrics[metric] for run in group])
        for group in groups.values()
    ]


def _telling(settings: Sequence[Mapping[str, str]]) -> list[str]:
    keys = dict.fromkeys(
        key for params in settings for key in params if not key.startswith(("seed", "streams"))
    )
    return [key for key in keys if len({params.get(key) for params in settings}) > 1] or ["model"]


def _row(labels: dict[str, str], values: list[float]) -> Row:
    mean = statistics.fmean(values)
    if len(values) < 2:
        return Row(labels, len(values), mean, None, None, None)
    error = stats.sem(values)
    low, high = stats.t.interval(CONFIDENCE, len(values) - 1, mean, error) if error else (mean, mean)
    return Row(labels, len(values), mean, statistics.stdev(values), float(low), float(high))


def mean_name(row: Row, metric: str) -> str:
    """What the setting's mean is called on the parent, in the characters that MLflow allows."""
    label = re.sub(r"[^\w.:-]+", "_", " ".join(row.labels.values())).strip("_")
    return f"{label}/{metric}"


def as_csv(rows: Sequence[Row], metric: str) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    labels = list(rows[0].labels) if rows else []
    writer.writerow([*labels, "metric", "n", "mean", "standard_deviation", "low", "high"])
    for row in rows:
        writer.writerow([*row.labels.values(), metric, row.num_runs, *row[2:]])
    return out.getvalue()


def as_markdown(rows: Sequence[Row], metric: str) -> str:
    labels = list(rows[0].labels) if rows else []
    head = [*labels, "n", f"mean {metric}", "95 % interval"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(cells(row)) + " |" for row in rows]
    return "\n".join(lines)


def note(rows: Sequence[Row], metric: str, runs: Sequence[Member], failed: Sequence[str]) -> str:
    """The study's description in the UI: table, how to read it, what failed, where to compare."""
    told = [
        as_markdown(rows, metric),
        f"Mean of `{metric}` over n runs a setting; Student's t interval, which covers the mean over all"
        " seeds in 95 of 100 such studies if the runs scatter normally.",
    ]
    if failed:
        told.append("**Failed, and in no mean:** " + ", ".join(failed))
    ids = json.dumps([run.run_id for run in runs])
    address = f"#/compare-runs?runs={quote(ids)}&experiments={quote(json.dumps([runs[0].experiment_id]))}"
    told.append(f"[Compare all {len(runs)} runs]({address}&workflowType=machine_learning)")
    return "\n\n".join(told)


def cells(row: Row) -> list[str]:
    """A row as the texts of its table cells."""
    interval = "needs 2 runs" if row.low is None else f"[{row.low:.4f}, {row.high:.4f}]"
    return [*row.labels.values(), str(row.num_runs), f"{row.mean:.4f}", interval]
