"""From a search to the arrays that its pictures are drawn from."""

import math
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from seedbed.picture import parallel, progress, search
from seedbed.picture.picture import Picture
from seedbed.report.drawing import axis_label
from seedbed.report.searched import Search, distribution, lower_is_better, number
from seedbed.verdict.budget import best_in_any_order, expected_best
from seedbed.verdict.statistics import Values

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

FANOVA_SEED = 0


def _trials(found: Search) -> search.Trials:
    return search.Trials(
        found.numbers,
        found.values[0],
        [state == "PRUNED" for state in found.states],
        axis_label(found.objectives[0]),
        lower_is_better(found.objectives[0]),
    )


def slices(found: Search) -> Picture:
    """One axes a tuned key."""
    return search.slices(_trials(found), [_slice(found, key) for key in found.tuned])


def parallel_coordinates(found: Search) -> Picture:
    """One line a trial across all tuned keys."""
    return parallel.parallel_coordinates(_trials(found), [_slice(found, key) for key in found.tuned])


def _slice(found: Search, key: str) -> search.Slice:
    drawn_from = distribution(found, key)
    words = not hasattr(drawn_from, "low")
    values = [(text if words else number(text)) if text else None for text in found.tuned[key]]
    return search.Slice(key, values, bool(getattr(drawn_from, "log", False)))


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
