"""How a metric's numbers are told: shares in points, losses in their own unit, and which way is better."""

import math
from typing import Literal, NamedTuple

from seedbed.errors import ConfigError
from seedbed.metric.glossary import GLOSSARY, better

MAX_DECIMALS = 6


class Unit(NamedTuple):
    """How to tell a metric's values.

    Args:
        factor: what a recorded value is multiplied by.
        name: `points`, `nats`, `seconds` or another word after the number; empty where none is known.
        better: which way the metric improves; None where its name does not say.
    """

    factor: float
    name: str
    better: Literal["lower", "higher"] | None

    def told(self, value: float, decimals: int) -> str:
        """A value, scaled, without a unit; no minus before zero."""
        text = f"{value * self.factor:.{decimals}f}"
        return text.removeprefix("-") if not float(text) else text

    def named(self, value: float, decimals: int) -> str:
        """A value with its unit."""
        return f"{self.told(value, decimals)} {self.name}".rstrip()

    def decimals(self, *sizes: float) -> int:
        """Digits after the point with which none of these sizes is rounded to nothing, one at least."""
        smallest = min((abs(size * self.factor) for size in sizes if size), default=1.0)
        return min(max(1, math.ceil(-math.log10(smallest))), MAX_DECIMALS)


def unit_of(metric: str) -> Unit:
    """The unit of a metric by its name, with or without its split.

    Example:
        >>> unit_of("test/accuracy")
        Unit(factor=100.0, name='points', better='higher')
    """
    entry = GLOSSARY.get(metric.rpartition("/")[2])
    if entry is not None and entry.unit == "share":
        return Unit(100.0, "points", better(metric))
    if metric.endswith("_seconds"):
        return Unit(1.0, "seconds", "lower")
    try:
        return Unit(1.0, entry.unit if entry else "", better(metric))
    except ConfigError:  # another program's metric, whose name does not say
        return Unit(1.0, "", None)


def told_p(value: float | None) -> str:
    """A p value with its sign of equality: two digits, or an upper bound.

    Example:
        >>> told_p(0.0421), told_p(0.00002)
        ('= 0.042', '< 0.001')
    """
    assert value is not None  # only told of a test that exists
    return "< 0.001" if value < 0.001 else f"= {value:.2g}"
