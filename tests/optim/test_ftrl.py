"""FTRL-Proximal against its definition in NumPy, a coordinate at a time."""

import copy
import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from seedbed.optim.ftrl import Ftrl

# The same float64 operations, in an order that rounds alike but for a few last digits over 200 steps.
TOLERANCE = 1e-12
NUM_SLOTS, NUM_FIELDS, NUM_STEPS = 30, 4, 200
SETTINGS: dict[str, float] = {"lr": 0.3, "beta": 0.05, "l1": 0.02, "l2": 0.1}

Batches = list[tuple[torch.Tensor, torch.Tensor]]


def batches(size: int = 8) -> Batches:
    generator = torch.Generator().manual_seed(0)
    slots = torch.randint(NUM_SLOTS, (NUM_STEPS, size, NUM_FIELDS), generator=generator)
    clicks = (torch.rand(NUM_STEPS, size, generator=generator) < 0.3).double()
    return list(zip(slots, clicks, strict=True))


class Reference:
    """Algorithm 1 of McMahan et al. (2013), with the gradient of a batch in place of one example's."""

    def __init__(self, alpha: float, beta: float, l1: float, l2: float) -> None:
        self.alpha, self.beta, self.l1, self.l2 = alpha, beta, l1, l2
        self.z, self.n = np.zeros(NUM_SLOTS), np.zeros(NUM_SLOTS)

    def weight(self, i: int) -> float:
        if abs(self.z[i]) <= self.l1:
            return 0.0
        pull = (self.beta + math.sqrt(self.n[i])) / self.alpha + self.l2
        return float(-(self.z[i] - math.copysign(self.l1, self.z[i])) / pull)

    def step(self, slots: Any, clicks: Any) -> None:
        w = [self.weight(i) for i in range(NUM_SLOTS)]
        gradient = np.zeros(NUM_SLOTS)
        for row, click in zip(slots, clicks, strict=True):
            p = 1 / (1 + math.exp(-sum(w[i] for i in row)))
            for i in row:
                gradient[i] += (p - click) / len(clicks)
        for i in range(NUM_SLOTS):
            g = gradient[i]
            sigma = (math.sqrt(self.n[i] + g * g) - math.sqrt(self.n[i])) / self.alpha
            self.z[i] += g - sigma * w[i]
            self.n[i] += g * g


def trained(data: Batches, *, sparse: bool, start: float = 0.0, **settings: float) -> torch.Tensor:
    weight = nn.Parameter(torch.full((NUM_SLOTS, 1), start, dtype=torch.float64))
    optimizer = Ftrl([weight], **(SETTINGS | settings))
    for slots, clicks in data:
        optimizer.zero_grad()
        logits = functional.embedding(slots, weight, sparse=sparse).sum((1, 2))
        functional.binary_cross_entropy_with_logits(logits, clicks).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return weight.detach()[:, 0]


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("changes", [{}, {"l1": 0.0}, {"l2": 0.0}, {"l1": 0.0, "l2": 0.0}, {"l1": 0.3}])
def test_weights_are_those_of_the_definition(sparse: bool, changes: dict[str, float]) -> None:
    settings = SETTINGS | changes
    reference = Reference(settings["lr"], settings["beta"], settings["l1"], settings["l2"])
    for slots, clicks in batches():
        reference.step(slots.tolist(), clicks.tolist())
    expected = [reference.weight(i) for i in range(NUM_SLOTS)]
    found = trained(batches(), sparse=sparse, **changes)
    np.testing.assert_allclose(found.numpy(), expected, rtol=0, atol=TOLERANCE)
    assert [weight == 0 for weight in found.tolist()] == [weight == 0 for weight in expected]


def test_a_larger_l1_leaves_fewer_weights_and_the_largest_none() -> None:
    left = [int((trained(batches(), sparse=True, l1=l1) != 0).sum()) for l1 in (0.0, 1.0, 4.0, 100.0)]
    assert left[0] == NUM_SLOTS
    assert left == sorted(left, reverse=True)
    assert len(set(left)) == 4
    assert left[-1] == 0


@pytest.mark.parametrize("sparse", [False, True])
def test_weights_that_do_not_begin_at_0_stay_until_a_gradient_moves_them(sparse: bool) -> None:
    slots, clicks = batches()[0]
    moved = trained([(slots % 20, clicks)], sparse=sparse, start=-0.4)
    touched = torch.zeros(NUM_SLOTS, dtype=torch.bool).index_fill(0, (slots % 20).flatten(), True)
    assert (moved[touched] != -0.4).all()
    np.testing.assert_allclose(moved[~touched].numpy(), -0.4, atol=TOLERANCE)


def test_a_state_that_went_through_a_file_goes_on_as_before(tmp_path: Any) -> None:
    def step(weight: nn.Parameter, optimizer: Ftrl, number: int) -> None:
        slots, clicks = batches()[number]
        optimizer.zero_grad()
        logits = functional.embedding(slots, weight, sparse=True).sum((1, 2))
        functional.binary_cross_entropy_with_logits(logits, clicks).backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    weight = nn.Parameter(torch.zeros(NUM_SLOTS, 1, dtype=torch.float64))
    optimizer = Ftrl([weight], **SETTINGS)
    step(weight, optimizer, 0)
    torch.save(optimizer.state_dict(), tmp_path / "state.pt")
    again = copy.deepcopy(weight)
    resumed = Ftrl([again], **SETTINGS)
    resumed.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    step(weight, optimizer, 1)
    step(again, resumed, 1)
    assert torch.equal(weight, again)
