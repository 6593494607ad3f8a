"""From recorded runs to a comparison: settings with their spread, pairs with a difference, warnings."""

import math
from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from seedbed.verdict import caveats, tables, verdict
from seedbed.verdict.checks import check
from seedbed.verdict.difference import judge, paired, unpaired
from seedbed.verdict.grouping import differing, fold_ratio, grouped, labels, names
from seedbed.verdict.members import Member, headline
from seedbed.verdict.pairing import partners
from seedbed.verdict.setting import Pair, Setting
from seedbed.verdict.statistics import describe
from seedbed.verdict.unit import Unit, unit_of

# Last first. The outer folds of a nested cross-validation judge the search itself, whatever each chose.
NESTED = "nested"
STAGES = (NESTED, "refit", "finalists", "search")


class Comparison(NamedTuple):
    """A set of runs with its verdict.

    Args:
        metric: what is compared.
        unit: how its numbers are told.
        rows: the settings, best first.
        pairs: each setting against each that follows it.
        words: one verdict a pair, in words with its numbers.
        warnings: sentences; what is not in the numbers, or limits what they say.
        margin: largest difference that does not matter, as told (points for shares); None: not asked.
    """

    metric: str
    unit: Unit
    rows: tuple[Setting, ...]
    pairs: tuple[Pair, ...]
    words: tuple[str, ...]
    warnings: tuple[str, ...]
    margin: float | None

    def text(self, width: int = 100) -> str:
        """For a terminal of this many columns."""
        from seedbed.verdict.terminal import Page

        page = Page(width)
        page.settings(self.rows, self.metric)
        if self.pairs:
            page.pairs(self.rows, self.pairs, self.words, self.unit)
        if self.warnings:
            page.section("Mind:", self.warnings)
        return page.text()

    def markdown(self) -> str:
        """Tables of settings and pairs, verdicts and warnings."""
        parts = [tables.settings_markdown(self.rows, self.metric)]
        if self.pairs:
            parts += [tables.listed(self.words), tables.pairs_markdown(self.pairs, self.unit)]
        if self.warnings:
            parts.append("**Mind:**\n\n" + tables.listed(self.warnings))
        return "\n\n".join(parts) + "\n"

    def csv(self) -> str:
        """One row a pair, every number in full, in the metric's own unit."""
        return tables.pairs_csv(self.pairs, self.metric)

    def settings_csv(self) -> str:
        """One row a setting, every number in full, in the metric's own unit."""
        return tables.settings_csv([(row.labels, row.description) for row in self.rows], self.metric)


def compare(
    members: Sequence[Member],
    metric: str | None = None,
    by: str | None = None,
    margin: float | None = None,
) -> Comparison:
    """Compares the settings of a set of runs.

    Args:
        members: the runs, in any state; what does not count is named in the warnings.
        metric: a recorded metric; None: test accuracy where every finished run has it, else validation's.
        by: a param whose values are compared, whatever else differs; None: all that differs.
        margin: largest difference that does not matter, in points for shares, else in the metric's unit.

    Raises:
        StoreError: for no finished run, a metric that no run has, a param that no run has, a margin that
            is not above 0.
    """
    chosen = _last_stage(members)
    finished = _latest([run for run in chosen if run.status == "FINISHED"])
    name = metric or headline(finished)
    check(chosen, finished, name, by, margin)
    counted = [run for run in finished if math.isfinite(run.metrics.get(name, math.nan))]
    unit = unit_of(name)
    rows = sorted(_settings(counted, name, by), key=lambda row: _rank(row, unit))
    also = [key for key in differing([run.params for run in counted]) if key != by] if by else []
    pairs = _pairs(rows, name, also, None if margin is None else margin / unit.factor)
    words = [verdict.sentence(pair, unit, margin) for pair in pairs]
    told = (
        caveats.told(members, chosen, finished, name)
        + caveats.of_settings(rows, by)
        + caveats.of_pairs(pairs)
    )
    return Comparison(name, unit, tuple(rows), tuple(pairs), tuple(words), tuple(told), margin)


def _last_stage(members: Sequence[Member]) -> list[Member]:
    """Of a search only its last stage: the runs that chose a setting would flatter it."""
    for stage in STAGES:
        reached = [run for run in members if run.tags.get("seedbed.stage") == stage]
        if any(run.status == "FINISHED" for run in reached):
            return [run._replace(setting=NESTED) for run in reached] if stage == NESTED else reached
    return list(members)


def _latest(finished: Sequence[Member]) -> list[Member]:
    """One run a signature: the same seeds again are no new evidence."""
    last = {run.tags.get("seedbed.signature", run.run_id): run for run in finished}
    kept = {run.run_id for run in last.values()}
    return [run for run in finished if run.run_id in kept]


def _settings(runs: Sequence[Member], metric: str, by: str | None) -> list[Setting]:
    groups = grouped(runs, by)
    told = labels(groups, by)
    rows = []
    for group, label, name in zip(groups, told, names(told), strict=True):
        values, ratio = np.array([run.metrics[metric] for run in group]), fold_ratio(group)
        rows.append(Setting(name, label, tuple(group), values, ratio, describe(values, ratio)))
    return rows


def _rank(row: Setting, unit: Unit) -> float:
    return row.description.mean if unit.better == "lower" else -row.description.mean


def _pairs(rows: Sequence[Setting], metric: str, also: Sequence[str], margin: float | None) -> list[Pair]:
    pairs = [_pair(a, b, metric, also) for a, b in combinations(rows, 2)]
    judged = judge([pair.difference for pair in pairs], margin)
    return [pair._replace(difference=difference) for pair, difference in zip(pairs, judged, strict=True)]


def _pair(a: Setting, b: Setting, metric: str, also: Sequence[str]) -> Pair:
    found = partners(a.runs, b.runs, also)
    ratio = max(a.ratio, b.ratio)
    if not found.a:
        return Pair(a, b, unpaired(a.values, b.values, ratio), (), ())
    values = [np.array([run.metrics[metric] for run in side]) for side in (found.a, found.b)]
    met = tuple(zip(found.a, found.b, strict=True))
    return Pair(a, b, paired(values[0], values[1], ratio), met, tuple(found.alone))
