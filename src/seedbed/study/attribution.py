"""A variance study's result: how much of the spread each random stream makes."""

import math
from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from seedbed.study.findings import Finding, set_table
from seedbed.verdict import tables
from seedbed.verdict.members import Member, headline
from seedbed.verdict.statistics import describe, spread
from seedbed.verdict.unit import Unit, unit_of
from seedbed.verdict.variance import Share, variance_shares

STAGE = "vary "
ALL = "all"


def attribution(children: Sequence[Member]) -> list[Finding]:
    """One finding a setting.

    Args:
        children: the study's runs, in any state; those that did not finish are counted.
    """
    settings: dict[str, list[Member]] = defaultdict(list)
    for member in children:
        settings[member.setting].append(member)
    metric = headline(children)
    named = len(settings) > 1
    return [
        _finding(runs, metric, number if named else None) for number, runs in enumerate(settings.values())
    ]


def _finding(runs: Sequence[Member], metric: str, number: int | None) -> Finding:
    counted = [
        run for run in runs if run.status == "FINISHED" and math.isfinite(run.metrics.get(metric, math.nan))
    ]
    groups: dict[str, list[float]] = defaultdict(list)
    for run in counted:
        groups[run.tags["seedbed.stage"].removeprefix(STAGE)].append(run.metrics[metric])
    values = {stream: np.array(found) for stream, found in groups.items()}
    name = "" if number is None else f"_{number}"
    title = f"What moves {metric}" + ("" if number is None else f", setting {number}")
    why = _impossible(values)
    if why:
        return Finding(title, lambda _: why, lambda: why, {})
    total = values.pop(ALL)
    shares, unit = variance_shares(values, total), unit_of(metric)
    lines = [_line(share, unit) for share in shares]
    unit_name = unit.name or "its unit"
    head = [f"stream (sd in {unit_name})", "n", "sd", "95 %", "share of the variance", "95 %"]
    all_together = describe(total)
    sentence = (
        f"All streams together: n = {all_together.n}, mean {all_together.mean:.4f}, "
        f"sd {unit.told(all_together.deviation or 0.0, 3)} {unit.name}. One stream varies at a time, the "
        "others stay at the root seed (after Bouthillier et al. 2021); shares add up to 1 only where streams "
        "do not interact, and within their intervals."
    )
    left_out = len(runs) - len(counted)
    sentence += f" {left_out} runs did not finish and are left out." * bool(left_out)
    csv = "".join(f"{','.join(map(str, line))}\n" for line in [Share._fields, *shares])
    return Finding(
        title,
        lambda width: set_table(sentence, head, lines, width),
        lambda: f"{tables.markdown(head, lines)}\n\n{sentence}",
        {f"variance{name}.csv": csv},
    )


def _line(share: Share, unit: Unit) -> list[str]:
    ends = f"[{unit.told(share.low, 3)}, {unit.told(share.high, 3)}]"
    shares = f"[{share.share_low:.2f}, {share.share_high:.2f}]"
    return [share.stream, str(share.n), unit.told(share.deviation, 3), ends, f"{share.share:.2f}", shares]


def _impossible(values: dict[str, np.ndarray]) -> str:
    """Why there are no shares; empty where there are."""
    few = [stream for stream, found in values.items() if len(found) < 2]
    if few or ALL not in values:
        told = ", ".join(few) or ALL
        return f"No shares: a spread needs two finished runs a stream; {told} has fewer."
    if not spread(values[ALL]):
        return "No shares: with all streams varied together the metric did not move at all."
    return ""
