"""What a search tried, rebuilt from its table on record."""

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from seedbed.metric.glossary import better

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

PREFIX = "params."
NO_OBJECTIVES = ("number", "state", "num_seeds")
# Below this a random forest explains noise.
FEWEST_FOR_IMPORTANCES = 10


class Search(NamedTuple):
    """The settings that were tried.

    Args:
        objectives: metrics, the first one decides what the pictures show.
        numbers: of the trials.
        states: COMPLETE, PRUNED, FAIL, RUNNING or WAITING, one a trial.
        values: one list an objective, one value a trial; NaN where there is none.
        tuned: key to the texts that were tried, one a trial; empty where there is none.
        space: key to the words of its sweep.
    """

    objectives: Sequence[str]
    numbers: Sequence[int]
    states: Sequence[str]
    values: Sequence[Sequence[float]]
    tuned: Mapping[str, Sequence[str]]
    space: Mapping[str, str]

    @property
    def finished(self) -> list[int]:
        """Places of the trials that ended with a value."""
        return [
            place
            for place, state in enumerate(self.states)
            if state == "COMPLETE" and math.isfinite(self.values[0][place])
        ]


def read(trials: str, space: str | None) -> Search:
    """The search from its artifacts.

    Args:
        trials: CSV with `number`, `state`, one column an objective, `params.KEY` a tuned key.
        space: JSON of key to sweep words; None: keys whose values are all numbers are numbers.
    """
    rows = list(csv.DictReader(io.StringIO(trials)))
    columns = list(rows[0]) if rows else []
    names = [name for name in columns if name not in NO_OBJECTIVES and not name.startswith(PREFIX)]
    return Search(
        names,
        [int(row["number"]) for row in rows],
        [row["state"] for row in rows],
        [[float(row[name] or "nan") for row in rows] for name in names],
        {
            name.removeprefix(PREFIX): [row[name] for row in rows]
            for name in columns
            if name.startswith(PREFIX)
        },
        json.loads(space) if space else {},
    )


def lower_is_better(objective: str) -> bool:
    """Which way an objective improves; seconds are better low."""
    return objective.endswith("_seconds") or better(objective) == "lower"


def distribution(found: Search, key: str) -> "BaseDistribution":
    """Where the search drew a key's value from, as its sweep words say; without them, from what was tried."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.core.override_parser.types import IntervalSweep
    from optuna.distributions import CategoricalDistribution, FloatDistribution

    tried = [text for text in found.tuned[key] if text]
    sweep: Any = None
    if key in found.space:
        sweep = OverridesParser.create().parse_override(f"key={found.space[key]}").value()
    if isinstance(sweep, IntervalSweep):
        assert sweep.start is not None
        assert sweep.end is not None
        return FloatDistribution(float(sweep.start), float(sweep.end), log="log" in sweep.tags)
    numbers = [number(text) for text in tried]
    if numbers and all(number is not None for number in numbers) and (sweep is None or _is_range(sweep)):
        known = [number for number in numbers if number is not None]
        return FloatDistribution(min(known), max(known))
    return CategoricalDistribution(list(dict.fromkeys(tried)))


def _is_range(sweep: Any) -> bool:
    from hydra.core.override_parser.types import RangeSweep

    return isinstance(sweep, RangeSweep)


def number(text: str) -> float | None:
    """The number that a text is; None where it is a word."""
    try:
        return float(text)
    except ValueError:
        return None
