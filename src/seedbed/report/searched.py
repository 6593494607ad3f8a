"""What a search tried, rebuilt from its table on record, and the pictures of it."""

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from seedbed.metric.glossary import better
from seedbed.picture import parallel, progress, search
from seedbed.picture.picture import Picture
from seedbed.report.drawing import axis_label
from seedbed.verdict.budget import best_in_any_order, expected_best
from seedbed.verdict.statistics import Values

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

PREFIX = "params."
NO_OBJECTIVES = ("number", "state", "num_seeds")
# Below this a random forest explains noise.
FEWEST_FOR_IMPORTANCES = 10
FANOVA_SEED = 0


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


def _trials(found: Search) -> search.Trials:
    return search.Trials(
        found.numbers,
        found.values[0],
        [state == "PRUNED" for state in found.states],
        axis_label(found.objectives[0]),
        lower_is_better(found.objectives[0]),
    )


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
    numbers = [_number(text) for text in tried]
    if numbers and all(number is not None for number in numbers) and (sweep is None or _is_range(sweep)):
        known = [number for number in numbers if number is not None]
        return FloatDistribution(min(known), max(known))
    return CategoricalDistribution(list(dict.fromkeys(tried)))


def _is_range(sweep: Any) -> bool:
    from hydra.core.override_parser.types import RangeSweep

    return isinstance(sweep, RangeSweep)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def slices(found: Search) -> Picture:
    """One axes a tuned key."""
    return search.slices(_trials(found), [_slice(found, key) for key in found.tuned])


def _slice(found: Search, key: str) -> search.Slice:
    drawn_from = distribution(found, key)
    words = not hasattr(drawn_from, "low")
    values = [(text if words else _number(text)) if text else None for text in found.tuned[key]]
    return search.Slice(key, values, bool(getattr(drawn_from, "log", False)))


def parallel_coordinates(found: Search) -> Picture:
    """One line a trial across all tuned keys."""
    return parallel.parallel_coordinates(_trials(found), [_slice(found, key) for key in found.tuned])


def importances(found: Search) -> Picture:
    """Each key's share of the first objective's variance, over the finished trials."""
    import optuna
    from optuna.importance import FanovaImportanceEvaluator, get_param_importances

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    lower = lower_is_better(found.objectives[0])
    rebuilt = optuna.create_study(direction="minimize" if lower else "maximize")
    drawn_from = {key: distribution(found, key) for key in found.tuned}
    for place in found.finished:
        tried = {key: _tried(found.tuned[key][place], drawn_from[key]) for key in found.tuned}
        rebuilt.add_trial(
            optuna.create_trial(params=tried, distributions=drawn_from, value=found.values[0][place])
        )
    shares = get_param_importances(rebuilt, evaluator=FanovaImportanceEvaluator(seed=FANOVA_SEED))
    return progress.importances(list(shares), list(shares.values()), len(found.finished))


def _tried(text: str, drawn_from: "BaseDistribution") -> Any:
    return float(text) if hasattr(drawn_from, "low") else text


def best_so_far(found: Search) -> Picture:
    """Every trial's value and the best up to it; a pruned trial's counts for nothing."""
    trials = _trials(found)
    finished = set(found.finished)
    worst = math.inf if trials.lower_is_better else -math.inf
    counted = [value if place in finished else worst for place, value in enumerate(trials.values)]
    best = (np.minimum if trials.lower_is_better else np.maximum).accumulate(counted)
    return progress.best_so_far(trials, np.where(np.isfinite(best), best, math.nan).tolist(), _orders(found))


def _orders(found: Search) -> progress.Orders:
    """The band of other orders, at each trial for as many finished ones as there were up to it."""
    ends = best_in_any_order(_finished_values(found), _direction(found))
    num_finished = np.cumsum(np.isin(np.arange(len(found.states)), found.finished))
    low, high = (np.concatenate([[math.nan], end])[num_finished].tolist() for end in ends)
    return progress.Orders(low, high)


def _finished_values(found: Search) -> Values:
    return np.array([found.values[0][place] for place in found.finished])


def _direction(found: Search) -> Literal["lower", "higher"]:
    return "lower" if lower_is_better(found.objectives[0]) else "higher"


def what_more_trials_buy(found: Search) -> Picture:
    """Expected best value against the number of trials."""
    best = expected_best(_finished_values(found), _direction(found))
    return progress.expected_best(best.tolist(), axis_label(found.objectives[0]))


def trade_off(found: Search) -> Picture:
    """The first two objectives against each other, with the trials that no other beats in both."""
    places = [place for place in found.finished if math.isfinite(found.values[1][place])]
    return progress.trade_off(
        [found.numbers[place] for place in places],
        [[values[place] for place in places] for values in found.values[:2]],
        [axis_label(name) for name in found.objectives[:2]],
        [lower_is_better(name) for name in found.objectives[:2]],
    )
