"""From a comparison to the arrays that the pictures are drawn from."""

from collections.abc import Mapping

import numpy as np

from seedbed.metric.glossary import GLOSSARY
from seedbed.picture import curves, pairs, settings
from seedbed.picture.picture import Picture
from seedbed.report.evidence import NUM_CURVES, Histories
from seedbed.verdict.bands import FEWEST, Kind, band
from seedbed.verdict.compare import Comparison
from seedbed.verdict.setting import Pair, Setting

# More lines, dots and marks than these cannot be told apart; the tables have all.
NUM_ROWS, NUM_PAIRS, NUM_MARKS = 30, 6, 18
INTERVALS: Mapping[Kind, str] = {
    "bootstrap": "bootstrapped over whole runs, with tails widened as so many runs need it (Hesterberg 2015)",
    "t": f"by Student's t: of fewer than {FEWEST} runs, and of folds, a bootstrap would be too narrow",
    "none": "",
}
CPU_SECONDS = "fit/cpu_seconds"


def axis_label(metric: str) -> str:
    """The metric with its unit.

    Example:
        >>> axis_label("test/accuracy"), axis_label("fit/cpu_seconds"), axis_label("mine")
        ('test/accuracy (share)', 'fit/cpu_seconds (seconds)', 'mine')
    """
    entry = GLOSSARY.get(metric.rpartition("/")[2])
    unit = entry.unit if entry else "seconds" if metric.endswith("_seconds") else ""
    return f"{metric} ({unit})" if unit else metric


def learning_curves(comparison: Comparison, found: Mapping[str, Histories]) -> Picture:
    """One axes a metric, the best settings first."""
    rows = [
        row
        for row in comparison.rows[:NUM_CURVES]
        if any(run.run_id in known for known in found.values() for run in row.runs)
    ]
    panels = [
        curves.Panel(axis_label(metric), metric, [_curve(row, known) for row in rows])
        for metric, known in found.items()
    ]
    return _limited(curves.learning_curves(panels), len(rows), len(comparison.rows), "settings")


def _lines(row: Setting, known: Histories) -> list[curves.Line]:
    return [
        curves.Line(run.name, *map(list, zip(*known[run.run_id], strict=True)))
        for run in row.runs
        if run.run_id in known
    ]


def _curve(row: Setting, known: Histories) -> curves.Curve:
    lines = _lines(row, known)
    values = [dict(zip(line.steps, line.values, strict=True)) for line in lines]
    steps = sorted(set.intersection(*map(set, values))) if values else []
    if not steps:
        return curves.Curve(row.name, lines, curves.Mean([], [], [], []))
    table = np.array([[value[step] for value in values] for step in steps])
    found = band(table, row.ratio)
    mean = curves.Mean(steps, table.mean(axis=1).tolist(), found.low.tolist(), found.high.tolist())
    return curves.Curve(row.name, lines, mean, INTERVALS[found.kind])


def _groups(comparison: Comparison) -> list[settings.Group]:
    return [
        settings.Group(
            row.name,
            row.values.tolist(),
            row.description.mean,
            row.description.low,
            row.description.high,
            _seconds(row),
        )
        for row in comparison.rows
    ]


def _seconds(row: Setting) -> list[float]:
    """CPU seconds a run; none where one of the runs has kept none."""
    known = [run.metrics[CPU_SECONDS] for run in row.runs if run.metrics.get(CPU_SECONDS, 0) > 0]
    return known if len(known) == len(row.runs) else []


def distribution(comparison: Comparison) -> Picture:
    groups = _groups(comparison)
    drawn = settings.distribution(groups[:NUM_ROWS], axis_label(comparison.metric))
    return _limited(drawn, NUM_ROWS, len(groups), "settings")


def priced(comparison: Comparison) -> bool:
    """Whether the cost of any setting is known."""
    return any(group.seconds for group in _groups(comparison))


def cost(comparison: Comparison) -> Picture:
    groups = [group for group in _groups(comparison) if group.seconds]
    return _limited(settings.cost(groups[:NUM_ROWS]), NUM_ROWS, len(groups), "settings")


def cost_against_metric(comparison: Comparison) -> Picture:
    groups = [group for group in _groups(comparison) if group.seconds]
    drawn = settings.cost_against_metric(groups[:NUM_MARKS], axis_label(comparison.metric))
    return _limited(drawn, NUM_MARKS, len(groups), "settings")


def differences(comparison: Comparison) -> Picture:
    shown = [_pair(pair, comparison.metric) for pair in comparison.pairs[:NUM_ROWS]]
    drawn = pairs.differences(shown, axis_label(comparison.metric))
    return _limited(drawn, NUM_ROWS, len(comparison.pairs), "pairs")


def paired_dots(comparison: Comparison) -> Picture:
    shown = [_pair(pair, comparison.metric) for pair in comparison.pairs[:NUM_PAIRS]]
    drawn = pairs.paired_dots(shown, axis_label(comparison.metric))
    return _limited(drawn, NUM_PAIRS, len(comparison.pairs), "pairs")


def _pair(pair: Pair, metric: str) -> pairs.Pair:
    """Partners where there are any, else all runs of both."""
    first = [a.metrics[metric] for a, _ in pair.partners] or pair.a.values.tolist()
    second = [b.metrics[metric] for _, b in pair.partners] or pair.b.values.tolist()
    low, high = pair.difference.interval or (None, None)
    paired = bool(pair.partners)
    return pairs.Pair(pair.a.name, pair.b.name, first, second, paired, pair.difference.mean, low, high)


def _limited(picture: Picture, limit: int, number: int, what: str) -> Picture:
    """The picture, saying so where it shows the first of many."""
    if number <= limit:
        return picture
    return picture._replace(caption=f"{picture.caption} Shown are the first {limit} of {number} {what}.")
