"""Gradient descent with steps of 1/L on the mean loss: how far it gets, in raw and in standardised age."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64
from scipy.special import expit

from experiments.chd.people import People

Pair = Float64[np.ndarray, "2"]
Path = Float64[np.ndarray, "step 2"]


class Descent(NamedTuple):
    """Intercept and slope on the way from the origin.

    Args:
        steps: which of the steps are kept, 0 the start.
        path: weights after each of them.
        errors: largest relative error of the two weights after each of them.
    """

    steps: list[int]
    path: Path
    errors: list[float]

    def num_steps_to(self, error: float) -> int | None:
        """The first of the kept steps within this error; None: none."""
        return next(
            (step for step, found in zip(self.steps, self.errors, strict=True) if found < error), None
        )


def largest_curvature(ages: Float64[np.ndarray, " person"]) -> float:
    """L: no second derivative of the mean loss exceeds a quarter of the largest eigenvalue of X'X/n."""
    design = np.column_stack([np.ones_like(ages), ages])
    return float(np.linalg.eigvalsh(design.T @ design / len(ages))[-1] / 4)


def condition_number(told: People, optimum: Pair) -> float:
    """Largest over least curvature of the loss at the optimum."""
    design = np.column_stack([np.ones_like(told.ages), told.ages])
    p = expit(design @ optimum)
    curvatures = np.linalg.eigvalsh((design.T * (p * (1 - p))) @ design)
    return float(curvatures[-1] / curvatures[0])


def excess(told: People, weights: Path, optimum: Pair) -> Float64[np.ndarray, " step"]:
    """Mean loss above its minimum, in nats, for each pair of weights."""
    above: Float64[np.ndarray, " step"] = mean_loss(told, weights) - mean_loss(told, optimum[None])[0]
    return above


def mean_loss(told: People, weights: Path) -> Float64[np.ndarray, " step"]:
    """Mean negative log-likelihood in nats for each pair of weights."""
    logits = weights[:, :1] + weights[:, 1:] * told.ages
    losses: Float64[np.ndarray, " step"] = (np.logaddexp(0, logits) - told.outcomes * logits).mean(axis=1)
    return losses


def descend(told: People, optimum: Pair, num_steps: int, keep: list[int] | None = None) -> Descent:
    """From the origin, with the longest step that can never go up.

    Args:
        told: ages in the unit that the weights are for.
        optimum: where the minimum is.
        num_steps: how many.
        keep: steps to be kept, rising; None: all.
    """
    design = np.column_stack([np.ones_like(told.ages), told.ages])
    step, gradient = 1 / largest_curvature(told.ages), design / len(told.ages)
    kept = list(range(num_steps + 1)) if keep is None else keep
    wanted, path, weights = set(kept), [], np.zeros(2)
    for number in range(num_steps + 1):
        if number in wanted:
            path.append(weights)
        weights = weights - step * ((expit(design @ weights) - told.outcomes) @ gradient)
    errors = np.abs(np.array(path) / optimum - 1).max(axis=1)
    return Descent(kept, np.array(path), errors.tolist())
