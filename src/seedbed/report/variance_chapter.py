"""What a report says of the variance: which random stream moves the result, and how much."""

import math
from collections.abc import Sequence

import numpy as np

from seedbed.report.evidence import STAGE, VARY, Evidence
from seedbed.report.page import Block, Section, Table, Text
from seedbed.verdict.members import Member
from seedbed.verdict.statistics import Values
from seedbed.verdict.tables import number
from seedbed.verdict.variance import Share, variance_shares

WORDS = (
    "In the runs of each line only this stream's seed differed. The share is its variance over that of the"
    " runs in which all streams varied; shares add up to 1 only where the streams do not interact"
    " (Bouthillier et al. 2021)."
)


def variance(evidence: Evidence) -> list[Section]:
    """One section with a table a setting; none where no stream varied alone."""
    varied = [run for run in evidence.members if run.tags.get(STAGE, "").startswith(VARY)]
    names = {run.setting: row.name for row in evidence.comparison.rows for run in row.runs}
    blocks: list[Block] = []
    for setting in dict.fromkeys(run.setting for run in varied):
        runs = [run for run in varied if run.setting == setting]
        blocks += [Text(names.get(setting, setting)), _shares(runs, evidence.comparison.metric)]
    return [Section("Where the variance comes from", [Text(WORDS), *blocks])] if blocks else []


def _shares(runs: Sequence[Member], metric: str) -> Block:
    streams = dict.fromkeys(run.tags.get(STAGE, "").removeprefix(VARY) for run in runs)
    values = {stream: _values(runs, stream, metric) for stream in streams}
    total = values.pop("all", np.array([]))
    known = {stream: found for stream, found in values.items() if len(found) > 1}
    if len(total) < 2 or not known or not np.ptp(total):
        return Text("Too few runs have finished, or all of them ended the same, to tell shares.")
    head = ["stream", "n", f"sd of {metric}", "95 % interval", "share of the variance", "95 % interval"]
    return Table(head, [_line(share) for share in variance_shares(known, total)])


def _values(runs: Sequence[Member], stream: str, metric: str) -> Values:
    finished = [run for run in runs if run.status == "FINISHED" and run.tags.get(STAGE) == VARY + stream]
    found = [run.metrics.get(metric, math.nan) for run in finished]
    return np.array([value for value in found if math.isfinite(value)])


def _line(share: Share) -> list[str]:
    return [
        share.stream,
        str(share.n),
        number(share.deviation),
        f"[{number(share.low)}, {number(share.high)}]",
        f"{share.share:.2f}",
        f"[{share.share_low:.2f}, {share.share_high:.2f}]",
    ]
