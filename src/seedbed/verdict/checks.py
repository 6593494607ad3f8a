"""What cannot be compared, refused with what is there instead."""

import math
from collections import Counter
from collections.abc import Sequence

from seedbed.errors import StoreError
from seedbed.verdict.members import Member


def check(
    members: Sequence[Member], finished: Sequence[Member], metric: str, by: str | None, margin: float | None
) -> None:
    """Refuses a comparison without runs, and options that no run can answer.

    Args:
        members: the runs in any state.
        finished: those that finished.
        metric: what is compared.
        by: the param that is compared; None: all that differs.
        margin: largest difference that does not matter; None: not asked.

    Raises:
        StoreError: naming the option and what the runs have.
    """
    if not finished:
        raise _nothing(members)
    _check_metric(finished, metric)
    params = sorted({key for run in finished for key in run.params})
    if by is not None and by not in params:
        raise StoreError(
            f"--by {by}",
            expected="one of " + ", ".join(params),
            got="a param that no finished run has",
            do="Correct its spelling, or leave --by out.",
        )
    if margin is not None and not 0 < margin < math.inf:
        raise StoreError(
            "--margin",
            expected="a number above 0",
            got=f"{margin:g}",
            do="Give the largest difference that does not matter.",
        )


def _check_metric(finished: Sequence[Member], metric: str) -> None:
    known = sorted({name for run in finished for name in run.metrics})
    if metric not in known:
        raise StoreError(
            f"metric {metric}",
            expected="one of " + (", ".join(known) or "no metric at all"),
            got="a name that no finished run has",
            do="Add --metric NAME.",
        )
    if not any(math.isfinite(run.metrics.get(metric, math.nan)) for run in finished):
        raise StoreError(
            f"metric {metric}",
            expected="a finite number in one run at least",
            got=f"none in {len(finished)} finished runs",
            do="Choose another with --metric NAME.",
        )


def _nothing(members: Sequence[Member]) -> StoreError:
    counts = Counter(run.status for run in members)
    told = ", ".join(f"{number} {status}" for status, number in counts.items())
    return StoreError(
        "comparison",
        expected="finished runs",
        got=told or "no run",
        do="Wait for the study to end, or start it again."
        if members
        else "Name a study or give --runs FILTER.",
    )
