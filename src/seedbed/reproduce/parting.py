"""Where two runs part: the first epoch, step and metric that are not the same to the last bit."""

from itertools import zip_longest
from typing import Any, NamedTuple

import numpy as np

from seedbed.reproduce.recorded import Recorded

# In the order in which a run comes by them.
SPLITS = ("train", "val", "best_val", "test", "fit")


class Parting(NamedTuple):
    """The first of each that differs.

    Args:
        epoch: after which the weights differ, 0 for the initial ones; None where all are the same, or
            one of the records has no digests.
        step: optimiser step, from 1, whose objective differs; None likewise.
        metric: name and epoch; None where all values are the same.
        logits: whether the test logits differ.
    """

    epoch: int | None
    step: int | None
    metric: tuple[str, int] | None
    logits: bool

    def __bool__(self) -> bool:
        return self.epoch is not None or self.metric is not None or self.logits

    def told(self) -> str:
        """As a place: `the weights after epoch 2, the objective of step 31, train/loss of epoch 2`."""
        parts = []
        if self.epoch is not None:
            parts.append(f"the weights after epoch {self.epoch}" if self.epoch else "the initial weights")
        if self.step is not None:
            parts.append(f"the objective of step {self.step}")
        if self.metric is not None:
            parts.append("{} of epoch {}".format(*self.metric))
        return ", ".join(parts) or "the test logits"


def parting(first: Recorded, second: Recorded) -> Parting:
    """Compares weights, objectives, metrics and logits, bit for bit; equal NaN are the same."""
    traces = first.trace or {}, second.trace or {}
    traced = all(traces)
    return Parting(
        _epoch(*traces) if traced else None,
        _step(first, second),
        _metric(first, second),
        traced and traces[0]["test_logits"] != traces[1]["test_logits"],
    )


def _epoch(first: dict[str, Any], second: dict[str, Any]) -> int | None:
    digests, others = ([trace["initial"], *trace["epochs"]] for trace in (first, second))
    unequal = (place for place, both in enumerate(zip_longest(digests, others)) if both[0] != both[1])
    return next(unequal, None)


def _step(first: Recorded, second: Recorded) -> int | None:
    if first.objectives is None or second.objectives is None:
        return None
    values, others = first.objectives, second.objectives
    number = min(len(values), len(others))
    unequal = np.flatnonzero(values[:number].view(np.int64) != others[:number].view(np.int64))
    if len(unequal):
        return int(unequal[0]) + 1
    return None if len(values) == len(others) else number + 1


def _metric(first: Recorded, second: Recorded) -> tuple[str, int] | None:
    points, others = (
        {(name, step): value.hex() for name, values in run.history.items() for step, value in values.items()}
        for run in (first, second)
    )
    unequal = (point for point in points | others if points.get(point) != others.get(point))
    return min(unequal, key=_order, default=None)


def _order(point: tuple[str, int]) -> tuple[int, int, str]:
    name, epoch = point
    return epoch, SPLITS.index(name.partition("/")[0]), name
