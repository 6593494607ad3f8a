"""What a comparison leaves out, or limits what it says: sentences, none of them silent."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from scipy.stats import skew

from seedbed.verdict.grouping import differing
from seedbed.verdict.members import Member
from seedbed.verdict.setting import Pair, Setting
from seedbed.verdict.statistics import spread

NUM_NAMED = 10
# Below so many runs the sample does not show whether its metric is skewed.
FEW = 10
SKEWED = 1.0
# Runs to what 95 % intervals cover, in per cent, as measured: t of a lognormal metric of skewness 1.8 and of
# one of 6.2, BCa of a normal one. experiments/statistics/results.csv, 2,000 and 500 studies each.
COVERAGE: Mapping[int, tuple[float, float, float]] = {
    3: (92.1, 84.7, 72.2),
    5: (92.8, 84.2, 80.4),
    10: (92.6, 83.9, 90.2),
    30: (93.3, 87.7, 92.2),
}
ENDED = {
    "KILLED": "stopped",
    "RUNNING": "still running",
    "SCHEDULED": "not started",
    "PRUNED": "pruned by the search",
}


def named(runs: Sequence[Member]) -> str:
    """The runs by name, the first ten of many."""
    return _listed(run.name for run in runs)


def told(
    members: Sequence[Member], chosen: Sequence[Member], counted: Sequence[Member], metric: str
) -> list[str]:
    """Which runs do not count, by name, and why.

    Args:
        members: all runs of the study.
        chosen: those of the stage that is compared.
        counted: the finished ones among them, the same seeds once.
        metric: what is compared.
    """
    unfinished = [run for run in chosen if run.status != "FINISHED"]
    counted_ids = {run.run_id for run in counted}
    repeated = [run for run in chosen if run.status == "FINISHED" and run.run_id not in counted_ids]
    missing = [run for run in counted if metric not in run.metrics]
    broken = [run for run in counted if not math.isfinite(run.metrics.get(metric, 0.0))]
    reasons = [(runs, ENDED.get(status, status.lower())) for status, runs in _by_status(unfinished)]
    reasons += [
        (repeated, "with the config and seeds of a later run, which counts instead"),
        (missing, f"without {metric}"),
        (broken, f"whose {metric} is no finite number"),
    ]
    left_out = [
        f"In no mean: {len(runs)} of {len(chosen)} runs, {reason}: {named(runs)}."
        for runs, reason in reasons
        if runs
    ]
    return _stage(members, chosen) + left_out


def _by_status(runs: Sequence[Member]) -> Iterable[tuple[str, list[Member]]]:
    ordered = sorted(runs, key=lambda run: run.status)
    return [(status, list(found)) for status, found in groupby(ordered, key=lambda run: run.status)]


def _stage(members: Sequence[Member], chosen: Sequence[Member]) -> list[str]:
    earlier = len(members) - len(chosen)
    if not earlier:
        return []
    stage = chosen[0].tags.get("seedbed.stage", "")
    return [
        f"Compared are the {len(chosen)} runs of the stage {stage}; the {earlier} of other stages are left "
        f"out, "
        "because a search flatters what it chose."
    ]


def of_settings(rows: Sequence[Setting], by: str | None) -> list[str]:
    """What the numbers of runs, their kind and the grouping do to the intervals."""
    alone = "There is one setting only, and so no pair." if len(rows) == 1 else ""
    found = [
        alone,
        _unequal(rows),
        _single(rows),
        _few(rows),
        _folds(rows),
        *(_merged(row, by) for row in rows),
    ]
    return [sentence for sentence in found if sentence]


def _unequal(rows: Sequence[Setting]) -> str:
    if len({row.description.n for row in rows}) < 2:
        return ""
    numbers = _listed(f"{row.name} {row.description.n}" for row in rows)
    return f"The settings have unequal numbers of runs: {numbers}."


def _single(rows: Sequence[Setting]) -> str:
    single = [row.name for row in rows if row.description.n == 1]
    if not single:
        return ""
    return (
        f"One run has no interval ({_listed(single)}). Two runs give one; 6 pairs are the fewest whose "
        "sign-flip test can go below 0.05."
    )


def _few(rows: Sequence[Setting]) -> str:
    """What an interval of few runs, or of skewed ones, is worth."""
    doubtful = [len(row.values) for row in rows if not row.ratio and _is_doubtful(row)]
    if not doubtful:
        return ""
    number = min(doubtful)
    measured = max((size for size in COVERAGE if size <= number), default=min(COVERAGE))
    skewed, heavy, bca = COVERAGE[measured]
    return (
        f"n = {number}: a 95 % t interval of so few runs covers less where the metric is skewed, {skewed:g} "
        f"% at skewness 1.8 and {heavy:g} % at 6.2; BCa covers {bca:g} % even where it is normal (measured "
        f"at n = {measured}, experiments/statistics)."
    )


def _is_doubtful(row: Setting) -> bool:
    if len(row.values) < FEW:
        return len(row.values) > 1
    return spread(row.values) > 0 and abs(float(skew(row.values))) > SKEWED


def _folds(rows: Sequence[Setting]) -> str:
    if not any(row.ratio for row in rows):
        return ""
    return (
        "Folds share training examples: intervals and tests are those of the corrected resampled t "
        "(Nadeau and Bengio 2003); permutations and bootstrap, which need independent runs, are left out."
    )


def _merged(row: Setting, by: str | None) -> str:
    keys = [key for key in differing([run.params for run in row.runs]) if key != by]
    if by is None or not keys:
        return ""
    values = (
        f"{key} ({', '.join(dict.fromkeys(run.params.get(key, 'default') for run in row.runs))})"
        for key in keys
    )
    return f"{row.name} merges settings that differ in {', '.join(values)}: the spread holds these too."


def of_pairs(pairs: Sequence[Pair]) -> list[str]:
    """Runs that had no partner."""
    counts = Counter(run for pair in pairs for run in {run.run_id: run.name for run in pair.alone}.items())
    if not counts:
        return []
    told = _listed(
        f"{name} ({number} pair{'s' if number > 1 else ''})" for (_, name), number in counts.items()
    )
    return [f"Left out for want of a partner with the same split, order and fold: {told}."]


def _listed(names: Iterable[str]) -> str:
    listed = list(names)
    more = f" and {len(listed) - NUM_NAMED} more" if len(listed) > NUM_NAMED else ""
    return ", ".join(listed[:NUM_NAMED]) + more
