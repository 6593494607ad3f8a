"""One number that makes a model's confidence come true: what its logits are divided by."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from seedbed.errors import DataError
from seedbed.model.likelihood import Likelihood
from seedbed.shapes import Labels, Logits

# Beyond it the optimum is none: the likelihood still rises.
FARTHEST = 1000.0
# Of the logarithm of the temperature.
ACCURACY = 1e-9


class Temperature(NamedTuple):
    """A fitted temperature.

    Args:
        value: above 1 where the model was too sure, below 1 where it was not sure enough.
        standard_error: of the value, from the observed information of its inverse (delta method).
        num_examples: that it was fitted to.
    """

    value: float
    standard_error: float
    num_examples: int


def fitted(likelihood: Likelihood, logits: Logits, labels: Labels) -> Temperature:
    """The temperature of the smallest mean NLL of the true classes.

    For one logit, 1 / temperature is the slope of a logistic regression of the label on it without an
    intercept.

    Args:
        likelihood: from logits to probabilities.
        logits: of examples that the model was not fitted to.
        labels: their true classes.

    Raises:
        DataError: where no temperature is best: each example right, or confidence no better than none.

    Source: Guo, Pleiss, Sun and Weinberger (2017), "On calibration of modern neural networks", 4.2.
    """
    from scipy.optimize import minimize_scalar

    wide = logits.double()

    def loss(log_temperature: float) -> float:
        return float(_nll(likelihood, wide, labels, torch.tensor(math.exp(-log_temperature))))

    farthest = math.log(FARTHEST)
    found = minimize_scalar(loss, bounds=(-farthest, farthest), method="bounded", options={"xatol": ACCURACY})
    if abs(found.x) > farthest - 0.01:
        raise _without_end(found.x)
    value = math.exp(found.x)
    return Temperature(value, _standard_error(likelihood, wide, labels, value), len(labels))


def _nll(likelihood: Likelihood, logits: Logits, labels: Labels, slope: Tensor) -> Tensor:
    """Sum over the examples of -log p(true class), of logits times the slope."""
    told = likelihood.log_probabilities(logits * slope)
    return -told.gather(1, labels[:, None]).sum()


def _standard_error(likelihood: Likelihood, logits: Logits, labels: Labels, value: float) -> float:
    slope = torch.tensor(1 / value, dtype=torch.float64, requires_grad=True)
    (first,) = torch.autograd.grad(_nll(likelihood, logits, labels, slope), slope, create_graph=True)
    (second,) = torch.autograd.grad(first, slope)
    return value**2 / math.sqrt(float(second)) if second > 0 else math.inf


def _without_end(log_temperature: float) -> DataError:
    sure = log_temperature < 0
    return DataError(
        "temperature",
        expected="a validation split that tells how sure the model may be",
        got="one on which every example is right" if sure else "one on which its confidence says nothing",
        do="Hold out more examples: data.val_fraction." if sure else "Train the model first.",
    )
