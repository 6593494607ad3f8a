"""Where a study lets one more run of a setting fall: its 95 % prediction interval."""

from typing import NamedTuple

import numpy as np
from scipy import special

from seedbed.reproduce.recorded import Recorded
from seedbed.track.store import Store
from seedbed.verdict.members import Member, headline, members
from seedbed.verdict.statistics import ALPHA, Values, spread


class Interval(NamedTuple):
    """Where the metric of one more run lies, with 95 % confidence.

    Args:
        metric: by which the study is judged.
        low: lower end, in the metric's own unit.
        high: upper end.
        num_runs: runs that it is from, two or more.
    """

    metric: str
    low: float
    high: float
    num_runs: int

    def told(self) -> str:
        """The bounds and where they come from."""
        return (
            f"[{self.low:.4f}, {self.high:.4f}], where {self.num_runs} runs of the study let 95 % of further "
            "runs fall"
        )

    def holds(self, value: float) -> bool:
        return self.low <= value <= self.high


def predicted(metric: str, values: Values) -> Interval:
    """The interval from two or more runs of one setting: mean +- t s sqrt(1 + 1/n).

    Source: Hahn and Meeker 1991, chapter 4.

    Example:
        >>> predicted("test/loss", np.array([1.0, 2.0, 3.0])).holds(6.9)
        True
    """
    number = len(values)
    half = float(special.stdtrit(number - 1, 1 - ALPHA / 2)) * spread(values) * (1 + 1 / number) ** 0.5
    mean = float(values.mean())
    return Interval(metric, mean - half, mean + half, number)


def interval_of(store: Store, original: Recorded) -> Interval | None:
    """Of the finished runs that differ from the original in nothing but the seed.

    Args:
        store: where its study is.
        original: a run.

    Returns:
        None where it belongs to no study, or the study has but one such run.
    """
    parent = original.tags.get("mlflow.parentRunId")
    siblings = members(store, parent) if parent else []
    alike = {_setting(run) for run in siblings if run.run_id == original.run_id}
    runs = [run for run in siblings if run.status == "FINISHED" and _setting(run) in alike]
    metric = headline(runs)
    values = np.array([run.metrics[metric] for run in runs if metric in run.metrics])
    return predicted(metric, values) if len(values) > 1 else None


def _setting(run: Member) -> tuple[str, str, frozenset[tuple[str, str]]]:
    """What repetitions share: config, stage of the study, pinned streams, fold."""
    params = frozenset((key, value) for key, value in run.params.items() if key != "seed")
    return run.setting, run.tags.get("seedbed.stage", ""), params
