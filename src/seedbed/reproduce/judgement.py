"""Whether a re-run holds: one of five verdicts, with the place where it parts and what explains it."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from seedbed.errors import StoreError
from seedbed.reproduce.difference import Difference, differences
from seedbed.reproduce.distribution import Interval
from seedbed.reproduce.parting import parting
from seedbed.reproduce.recorded import Recorded
from seedbed.reproduce.tolerance import Deviation, largest
from seedbed.terminal import counted

Verdict = Literal["identical", "same metrics", "within tolerance", "same distribution", "different"]
# 2 is for what was refused before it began.
EXIT_CODES: dict[Verdict, int] = {
    "identical": 0,
    "same metrics": 3,
    "within tolerance": 4,
    "same distribution": 5,
    "different": 1,
}
NUM_DECIMALS = 4
NOTHING = (
    "Nothing on record explains it: config, data, code, packages, device, threads and flags are the same."
)


class Judgement(NamedTuple):
    """What a re-run shows of a record.

    Args:
        verdict: the strongest that holds.
        told: lines for the terminal, the verdict first.
        place: where the two part, such as `epoch 2, step 31, train/loss`; empty where they do not.
        causes: recorded differences that can move a result, most likely first.
        deviation: of all values the one furthest apart for its tolerance.
    """

    verdict: Verdict
    told: list[str]
    place: str
    causes: list[Difference]
    deviation: Deviation


def judge(original: Recorded, again: Recorded, interval: Interval | None = None) -> Judgement:
    """Compares a re-run with what it was to reproduce.

    Args:
        original: finished.
        again: finished, too.
        interval: where a run with a fresh seed may fall; None where the seed is the same.

    Raises:
        StoreError: for a record without metrics, which nothing can be said of.
    """
    for run in (original, again):
        _check(run)
    causes = [one for one in differences(original, again) if one.reach != "none"]
    parted, deviation = parting(original, again), largest(original, again)
    fallen = again.final.get(interval.metric) if interval and _is_fresh(causes) else None
    verdict: Verdict = "different"
    if not parted and original.trace and again.trace:
        verdict = "identical"
    elif _printed(original) == _printed(again):
        verdict = "same metrics"
    elif deviation.share <= 1 and _can_only_round(causes):
        verdict = "within tolerance"
    elif interval and fallen is not None and interval.holds(fallen):
        verdict = "same distribution"
    place = parted.told() if parted else ""
    lines = [f"{verdict}: {_reason(verdict, original, deviation, causes)}"]
    lines += [_place_of(fallen, interval)] if interval and fallen is not None else []
    lines += [f"First to differ: {place}."] if place else []
    return Judgement(verdict, lines + _explained(verdict, causes), place, causes, deviation)


def _check(run: Recorded) -> None:
    if not run.history:
        raise StoreError(
            f"run {run.run_id}",
            expected="metrics to compare",
            got=f"none on a run that is {run.status}",
            do="Name a run that came to the end of an epoch.",
        )


def _printed(run: Recorded) -> dict[str, str]:
    return {name: f"{value:.{NUM_DECIMALS}f}" for name, value in run.final.items()}


def _can_only_round(causes: Sequence[Difference]) -> bool:
    return bool(causes) and all(cause.reach == "rounding" for cause in causes)


def _is_fresh(causes: Sequence[Difference]) -> bool:
    """Whether other seeds are all that differs in config and content; they may cut other splits of it."""
    keys = {cause.what for cause in causes if cause.kind == "config" and cause.reach == "any"}
    same_content = not any(cause.what.startswith("content") for cause in causes if cause.kind == "data")
    return same_content and bool(keys) and all(key == "seed" or key.startswith("streams.") for key in keys)


def _reason(verdict: Verdict, original: Recorded, deviation: Deviation, causes: Sequence[Difference]) -> str:
    """What stands after the verdict in the first line."""
    number = counted(len(original.history), "metric")
    if verdict == "identical":
        return f"the {_hashed(original)} and {number} are equal bit for bit."
    if verdict == "same metrics":
        return f"{number} end in the same {NUM_DECIMALS} decimals."
    furthest = f"furthest apart is {deviation.told()}"
    if verdict == "within tolerance":
        return f"{furthest}; what differs can only round."
    if deviation.share > 1:
        return f"{furthest}."
    return f"{furthest}, {_unexplained(causes)}."


def _hashed(run: Recorded) -> str:
    assert run.trace is not None  # or nothing would be identical
    logits = ", the test logits" if run.trace["test_logits"] else ""
    return f"weights before the first and after each of {counted(len(run.trace['epochs']), 'epoch')}{logits}"


def _unexplained(causes: Sequence[Difference]) -> str:
    """Why a small deviation is not put down to rounding."""
    if causes:
        return f"but {causes[0].what} can do more than round"
    return "but no difference on record explains any"


def _place_of(value: float, interval: Interval) -> str:
    where = "inside" if interval.holds(value) else "outside"
    return f"With a fresh seed {interval.metric} is {value:.4f}, {where} {interval.told()}."


def _explained(verdict: Verdict, causes: Sequence[Difference]) -> list[str]:
    """The recorded differences, and what they are to the verdict."""
    if not causes:
        return [] if verdict == "identical" else [NOTHING]
    head = "It differs all the same:" if verdict == "identical" else "What may explain it, most likely first:"
    return [head, *(f"  {cause.told()}" for cause in causes)]
