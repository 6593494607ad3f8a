"""Known data, and an optimiser that finds the optimum of a convex model to the last digits."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor

from seedbed.model.network import Network

# Table 1 of the lecture, age:CHD.
CHD = (
    "22:0 23:0 24:0 27:0 28:0 30:0 30:0 32:0 33:0 35:1 38:0 40:0 41:1 46:0 47:0 48:0 49:1 49:0 50:1 51:0"
    " 51:1 52:0 54:0 55:1 58:1 60:1 60:0 62:1 65:1 67:1 71:1 77:1 81:1"
)


class Table(NamedTuple):
    """Raw columns and labels, with the statistics that standardise them."""

    inputs: np.ndarray
    labels: np.ndarray

    @property
    def mean(self) -> np.ndarray:
        mean: np.ndarray = self.inputs.mean(axis=0)
        return mean

    @property
    def sd(self) -> np.ndarray:
        sd: np.ndarray = self.inputs.std(axis=0)
        return sd

    def tensors(self, *, standardize: bool = True) -> tuple[Tensor, Tensor]:
        inputs = (self.inputs - self.mean) / self.sd if standardize else self.inputs
        return torch.from_numpy(inputs), torch.from_numpy(self.labels)


class Optimum(NamedTuple):
    """Per example: the objective (mean NLL plus penalty) and the mean NLL in it."""

    objective: float
    mean_nll: float


Fit = Callable[..., Optimum]


@pytest.fixture(scope="session")
def chd() -> Table:
    ages, labels = np.array([list(map(float, pair.split(":"))) for pair in CHD.split()]).T
    return Table(ages[:, None], labels.astype(np.int64))


@pytest.fixture
def fit() -> Fit:
    """Minimises mean NLL + (l2 / 2) ||W||^2, biases free, by L-BFGS in float64 from the origin."""
    return minimise


def minimise(
    network: Network,
    inputs: Tensor,
    labels: Tensor,
    l2: float = 0.0,
    *,
    polish: bool = False,
) -> Optimum:
    """The optimum as near as a line search comes.

    It compares objectives, which rounding blurs by 1e-16 and so weights by 1e-8. `polish` adds steps
    of full length, which look at the gradient only: they find the last digits of a small problem.
    """
    with torch.no_grad():
        for parameter in network.double().parameters():
            parameter.zero_()

    def parts() -> tuple[Tensor, Tensor]:
        mean_nll = network.likelihood.nll(network(inputs), labels).mean()
        return mean_nll + l2 / 2 * sum(weight.square().sum() for weight in network.penalised()), mean_nll

    for line_search in ("strong_wolfe", None)[: 1 + polish]:
        optimizer = torch.optim.LBFGS(
            network.parameters(),
            max_iter=1000,
            history_size=20,
            tolerance_grad=1e-11,
            tolerance_change=0.0,
            line_search_fn=line_search,
        )
        optimizer.step(partial(_differentiated, optimizer, parts))  # type: ignore[no-untyped-call]
    return Optimum(*(part.item() for part in parts()))


def _differentiated(optimizer: torch.optim.Optimizer, parts: Callable[[], tuple[Tensor, Tensor]]) -> Tensor:
    optimizer.zero_grad()
    objective, _ = parts()
    objective.backward()  # type: ignore[no-untyped-call]
    return objective
