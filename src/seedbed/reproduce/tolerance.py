"""How far rounding may move a metric, and how far two runs are apart in this measure."""

import math
from typing import NamedTuple

from seedbed.metric.glossary import GLOSSARY
from seedbed.reproduce.recorded import Recorded
from seedbed.verdict.unit import unit_of

# A last digit of float32 that differs at the first step grows with every step. Losses are smooth in
# the weights, so they move by a share of themselves.
RELATIVE = 0.02
# Shares jump by whole examples that lie at the border of two classes: one in a hundred.
ABSOLUTE = 0.01
# It jumps also where an example changes its bin, by more the fewer share a bin: 0.0055 was measured
# between one process and two, digits, 144 examples, a learning rate of 0.5.
CALIBRATION = 0.02
# Of two epochs that validate almost alike, rounding may choose the other.
EPOCHS = 1.0
# Follows from the config alone.
EXACT = "learning_rate"


class Tolerance(NamedTuple):
    """Largest distance that rounding explains; of a loss as a share of the larger of both values."""

    size: float
    relative: bool

    def told(self, distance: float, name: str) -> str:
        """A distance, in the words that people use of this metric."""
        if self.relative:
            return f"{100 * distance:.2g} %"
        unit = unit_of(name)
        return unit.named(distance, 2) if unit.factor != 1 else f"{distance:.2g}"


class Deviation(NamedTuple):
    """One value of a metric in two runs.

    Args:
        metric: its name.
        epoch: where.
        first: the first run's value; None where it has none.
        second: the second's.
    """

    metric: str
    epoch: int
    first: float | None
    second: float | None

    @property
    def distance(self) -> float:
        """In the measure of the metric's tolerance; infinite where one run has no such value."""
        if self.first is None or self.second is None:
            return math.inf
        if self.first == self.second or (math.isnan(self.first) and math.isnan(self.second)):
            return 0.0
        distance = abs(self.first - self.second)
        if not math.isfinite(distance):
            return math.inf
        larger = max(abs(self.first), abs(self.second))
        return distance / larger if tolerance(self.metric).relative else distance

    @property
    def share(self) -> float:
        """Of the tolerance; above 1 it is more than rounding does."""
        size = tolerance(self.metric).size
        return self.distance / size if size else math.inf if self.distance else 0.0

    def told(self) -> str:
        """Which metric, where, how far and how far it may be."""
        first, second = ("none" if value is None else f"{value:.6g}" for value in (self.first, self.second))
        place = f"{self.metric} of epoch {self.epoch}, {first} against {second}"
        if self.distance == math.inf:
            return place
        allowed = tolerance(self.metric)
        distance = allowed.told(self.distance, self.metric)
        return f"{place}: {distance}, tolerance {allowed.told(allowed.size, self.metric)}"


def tolerance(metric: str) -> Tolerance:
    """How far rounding may move a metric of this name."""
    name = metric.rpartition("/")[2]
    if name == EXACT:
        return Tolerance(0.0, relative=False)
    if name == "epoch":
        return Tolerance(EPOCHS, relative=False)
    if name == "calibration_error":
        return Tolerance(CALIBRATION, relative=False)
    is_share = name in GLOSSARY and GLOSSARY[name].unit == "share"
    return Tolerance(ABSOLUTE, relative=False) if is_share else Tolerance(RELATIVE, relative=True)


def largest(first: Recorded, second: Recorded) -> Deviation:
    """Of all values of all metrics the one that is furthest apart for its tolerance."""
    return max(_deviations(first, second), key=lambda deviation: deviation.share)


def _deviations(first: Recorded, second: Recorded) -> list[Deviation]:
    return [
        Deviation(name, step, values.get(step), others.get(step))
        for name in first.history | second.history
        for values, others in [(first.history.get(name, {}), second.history.get(name, {}))]
        for step in sorted(values | others)
    ]
