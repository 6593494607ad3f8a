"""What a comparison is made of: settings with their runs, and pairs of settings."""

from typing import NamedTuple

from seedbed.verdict.difference import Difference
from seedbed.verdict.members import Member
from seedbed.verdict.statistics import Description, Values


class Setting(NamedTuple):
    """The runs that differ only in their seeds and folds, with one metric.

    Args:
        name: short, unlike any other in the comparison.
        labels: the params that tell it apart.
        runs: those that count: finished, with a finite value.
        values: the metric, one a run.
        ratio: examples tested over examples trained on where the runs are folds, else 0.
        description: mean, spread, interval.
    """

    name: str
    labels: dict[str, str]
    runs: tuple[Member, ...]
    values: Values
    ratio: float
    description: Description


class Pair(NamedTuple):
    """Two settings; a is the better one, or the one with the larger mean where nothing says what is better.

    Args:
        a: the first setting.
        b: the second.
        difference: a minus b, in the metric's own unit.
        partners: the runs of a and of b that were paired, place by place; empty where unpaired.
        alone: runs that had no partner and are left out of this pair.
    """

    a: Setting
    b: Setting
    difference: Difference
    partners: tuple[tuple[Member, Member], ...]
    alone: tuple[Member, ...]
