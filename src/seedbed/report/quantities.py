"""The numbers of a model card: what is measured and how, overall and class by class."""

import math
from collections.abc import Sequence

import numpy as np

from seedbed.metric.glossary import GLOSSARY, better
from seedbed.report.evidence import Evidence
from seedbed.report.page import Block, Section, Table, Text
from seedbed.report.particulars import Particulars
from seedbed.report.statements import Point, lines, span
from seedbed.verdict import tables
from seedbed.verdict.per_class import ClassResult
from seedbed.verdict.setting import Setting
from seedbed.verdict.statistics import Description, describe

NUMBERS = ["n", "mean", "sd", "95 % interval"]


def metrics(evidence: Evidence) -> Section:
    """What the figures mean, and what their intervals are."""
    best = evidence.comparison.rows[0]
    known = [name for name in _measured(evidence) if _last(name) in GLOSSARY]
    rows = [[f"`{name}`", *_meaning(name)] for name in known]
    defined = [Table(["metric", "unit", "better", "meaning", "source"], rows)] if rows else []
    decided = "accuracy" in map(_last, known)
    points = [
        Point("Performance measures", "Below." if rows else ""),
        Point("Decision thresholds", "None: the most probable class is the prediction." if decided else ""),
        Point("Variation", _variation(best)),
    ]
    return Section("Metrics", [lines(points), *defined])


def _last(name: str) -> str:
    return name.rpartition("/")[2]


def _meaning(name: str) -> list[str]:
    entry = GLOSSARY[_last(name)]
    return [entry.unit, better(name), entry.meaning, entry.source]


def _variation(best: Setting) -> str:
    number = best.description.n
    if number < 2:
        return "One run: no interval, and nothing is known of how much another seed would move it."
    corrected = "corrected for folds that share examples (Nadeau and Bengio 2003)"
    kind = corrected if best.ratio else "for the mean"
    return f"Student's t interval {kind}, 95 %, over the n = {number} runs of the setting."


def is_tested(best: Setting) -> bool:
    """Whether the runs of this setting have figures of the test split."""
    return any(name.startswith("test/") for run in best.runs for name in run.metrics)


def _measured(evidence: Evidence) -> list[str]:
    """What is compared, then the other figures: of the test split where it was read, else of validation."""
    best = evidence.comparison.rows[0]
    logged = {name for run in best.runs for name in run.metrics}
    split = "test" if is_tested(best) else "best_val"
    others = [f"{split}/{name}" for name in GLOSSARY if f"{split}/{name}" in logged]
    return list(dict.fromkeys([evidence.comparison.metric, *others]))


def analyses(evidence: Evidence, found: Particulars) -> Section:
    """The figures themselves."""
    best = evidence.comparison.rows[0]
    rows = [_numbers(f"`{name}`", _described(best, name)) for name in _measured(evidence)]
    blocks: list[Block] = [Text("Overall:"), Table(["metric", *NUMBERS], rows), *_by_class(found.classes)]
    return Section("Quantitative analyses", [*blocks, lines([Point("Factors taken together")])])


def _described(best: Setting, name: str) -> Description:
    values = [run.metrics.get(name, math.nan) for run in best.runs]
    return describe(np.array([value for value in values if math.isfinite(value)]), best.ratio)


def _numbers(label: str, found: Description) -> list[str]:
    return tables.cells([label], found)[: 1 + len(NUMBERS)]


def _by_class(classes: Sequence[ClassResult]) -> list[Block]:
    if not classes:
        return [Text("By class: the record holds no `test/confusion.csv` of this setting.")]
    head = ["class", "examples", "n", "recall", "sd", "95 % interval", "F1 score", "sd", "95 % interval"]
    rows = [
        [one.name, span(one.num_examples), *_numbers("", one.recall)[1:], *_numbers("", one.f1_score)[2:]]
        for one in classes
    ]
    told = "By class, on the test split: recall is the share of the class's examples that were taken for it."
    return [Text(told), Table(head, rows)]
