"""The penalty has the value and the gradient of its formula."""

import doctest

import numpy as np
import pytest
import torch
from torch import Tensor

from seedbed.optim import penalty as module
from seedbed.optim.penalty import penalty

# A few hundred float64 additions in another order.
ROUNDING = 1e-13
STRENGTHS = [(0.0, 0.0), (0.3, 0.0), (0.0, 0.7), (0.3, 0.7)]


def weights() -> list[Tensor]:
    generator = torch.Generator().manual_seed(3)
    shapes = ((4, 3), (2, 4), (5, 1, 3, 3))
    drawn = [torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes]
    drawn[0][0, 0] = 0.0
    return [weight.requires_grad_() for weight in drawn]


def test_the_example_in_the_docstring_holds() -> None:
    assert doctest.testmod(module) == (0, 1)


@pytest.mark.parametrize(("l1", "l2"), STRENGTHS)
def test_the_value_is_l1_times_the_absolutes_plus_half_l2_times_the_squares(l1: float, l2: float) -> None:
    flat = np.concatenate([weight.detach().numpy().ravel() for weight in weights()])
    expected = l1 * np.abs(flat).sum() + l2 / 2 * (flat**2).sum()
    assert penalty(weights(), l1, l2).item() == pytest.approx(expected, rel=ROUNDING)


@pytest.mark.parametrize(("l1", "l2"), STRENGTHS[1:])
def test_the_gradient_is_l1_times_the_sign_plus_l2_times_the_weight(l1: float, l2: float) -> None:
    penalised = weights()
    penalty(penalised, l1, l2).backward()  # type: ignore[no-untyped-call]
    for weight in penalised:
        assert weight.grad is not None
        values = weight.detach().numpy()
        np.testing.assert_allclose(weight.grad.numpy(), l1 * np.sign(values) + l2 * values, rtol=ROUNDING)


@pytest.mark.parametrize("l1", [0.0, 0.3])
def test_nothing_to_penalise_costs_nothing(l1: float) -> None:
    assert penalty([], l1, 0.5) == 0


def test_a_generator_of_weights_is_read_once() -> None:
    expected = penalty(weights(), 0.3, 0.7)
    assert penalty((weight for weight in weights()), 0.3, 0.7) == expected
