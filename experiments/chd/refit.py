"""The same model fitted again to other people: one left out, or drawn with replacement.

Seedbed's own network and optimiser, without a record: a study has as many folds at most as its rarer
class has examples, 14 here, and thousands of recorded runs would say no more than their weights do.
"""

from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float64
from scipy.special import expit, xlog1py, xlogy
from torch import Tensor

from experiments.chd.people import People
from seedbed.model.linear import Logistic
from seedbed.model.separability import separability
from seedbed.optim.lbfgs import Lbfgs

Slopes = Float64[np.ndarray, " resample"]

NUM_RESAMPLES, SEED = 1000, 0
# As in conf/optimizer/lbfgs.yaml, with fewer steps: a small problem takes about ten.
OPTIMIZER: dict[str, Any] = {
    "lr": 1.0,
    "max_iter": 100,
    "history_size": 20,
    "tolerance_grad": 1e-12,
    "tolerance_change": 0.0,
    "line_search_fn": "strong_wolfe",
}


class Weights(NamedTuple):
    """Log odds = intercept + slope age."""

    intercept: float
    slope: float

    @property
    def even_odds(self) -> float:
        """Age in years at which the probability is one half."""
        return -self.intercept / self.slope

    def probability(self, age: float) -> float:
        """Of the disease."""
        return float(expit(self.intercept + self.slope * age))


def refitted(told: People) -> Weights | None:
    """The unpenalised optimum on standardised age, in years; None where there is none."""
    ages = told.ages[:, None]
    if separability(ages, told.outcomes, 2).value != "overlapping":
        return None
    mean, sd = told.ages.mean(), told.ages.std()
    network = Logistic(input_shape=(1,), num_classes=2).double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
    inputs, labels = torch.from_numpy((ages - mean) / sd), torch.from_numpy(told.outcomes)
    optimizer = Lbfgs(network.parameters(), **OPTIMIZER)

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = network.likelihood.nll(network(inputs), labels).mean()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimizer.step(closure)
    weight, bias = (float(parameter.detach()) for parameter in network.parameters())
    return Weights(float(bias - weight * mean / sd), float(weight / sd))


class LeftOut(NamedTuple):
    """How well each person is told by a fit to all others."""

    accuracy: float
    log_loss: float
    probabilities: list[float]


def leave_one_out(told: People) -> LeftOut:
    """Share right at 0.5 and mean loss in nats, each person judged by a fit to the other 32."""
    found = []
    for person, age in enumerate(told.ages.tolist()):
        weights = refitted(told.without(person))
        assert weights is not None, "no 32 of the 33 people are separable"
        found.append(weights.probability(age))
    p, y = np.array(found), told.outcomes
    losses = -(xlogy(y, p) + xlog1py(1 - y, -p))
    return LeftOut(float(np.mean((p > 0.5) == y)), float(losses.mean()), found)


class Bootstrap(NamedTuple):
    """Refits to people drawn with replacement.

    Args:
        slopes: one a resample that has an optimum.
        even_odds: the same, ages in years.
        num_separable: resamples without an optimum; their slope is infinite.
    """

    slopes: Slopes
    even_odds: Slopes
    num_separable: int


def bootstrap(told: People, num_resamples: int = NUM_RESAMPLES, seed: int = SEED) -> Bootstrap:
    """Pairs of age and outcome drawn with replacement, as many as there are people.

    Source: Efron and Tibshirani (1993), "An introduction to the bootstrap", chapter 9.
    """
    generator = np.random.default_rng(seed)
    draws = (generator.integers(len(told.ages), size=len(told.ages)) for _ in range(num_resamples))
    fits = [refitted(told.drawn(places)) for places in draws]
    found = [weights for weights in fits if weights is not None]
    slopes, ages = zip(*((weights.slope, weights.even_odds) for weights in found), strict=True)
    return Bootstrap(np.array(slopes), np.array(ages), num_resamples - len(found))


def percentile_interval(values: Slopes, num_infinite: int = 0) -> tuple[float, float]:
    """The 95 % percentile interval.

    Args:
        values: estimates of the resamples.
        num_infinite: further estimates above all of these.
    """
    whole = np.append(values, np.full(num_infinite, np.inf))
    low, high = np.quantile(whole, (0.025, 0.975), method="inverted_cdf")
    return float(low), float(high)
