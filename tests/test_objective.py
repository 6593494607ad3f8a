"""Shares of a batch: however it is cut, they add up to its objective and its gradient."""

import pytest
import torch
from torch import Tensor

from seedbed.model.linear import Softmax
from seedbed.objective import Objective
from seedbed.shapes import Batch

# Sums of 23 float64 terms of order one, in another order.
ROUNDING = 1e-13
OBJECTIVE = Objective(l1=0.01, l2=0.1, label_smoothing=0.1)
NUM_EXAMPLES = 23


def network() -> Softmax:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Softmax(input_shape=(4,), num_classes=3).double()


def examples() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(NUM_EXAMPLES, 4, generator=generator, dtype=torch.float64)
    return inputs, torch.arange(NUM_EXAMPLES) % 3


def gradients(grown: Softmax) -> list[Tensor]:
    return [parameter.grad for parameter in grown.parameters() if parameter.grad is not None]


def total(sizes: list[int]) -> tuple[float, Tensor]:
    """The objective and its gradient, added up over shares of these sizes."""
    grown, value = network(), 0.0
    for inputs, labels in zip(*(torch.split(part, sizes) for part in examples()), strict=True):
        part = Batch(inputs, labels, labels, NUM_EXAMPLES)
        share = OBJECTIVE.share(grown, grown(inputs), part, len(sizes))
        share.backward()  # type: ignore[no-untyped-call]
        value += share.item()
    return value, torch.cat([gradient.flatten() for gradient in gradients(grown)])


@pytest.mark.parametrize("sizes", [[12, 11], [20, 2, 1], [23, 0], [0, 0, 23]])
def test_unequal_and_empty_shares_add_up_to_the_whole(sizes: list[int]) -> None:
    (value, gradient), (whole, slope) = total(sizes), total([NUM_EXAMPLES])
    assert value == pytest.approx(whole, abs=ROUNDING)
    torch.testing.assert_close(gradient, slope, rtol=0, atol=ROUNDING)


def test_a_whole_batch_is_the_mean_plus_the_penalty_to_the_last_bit() -> None:
    (inputs, labels), one, other = examples(), network(), network()
    whole = Batch(inputs, labels, labels, NUM_EXAMPLES)
    nll = one.likelihood.nll(one(inputs), labels, OBJECTIVE.label_smoothing).mean()
    nll.backward()  # type: ignore[no-untyped-call]
    plain = OBJECTIVE._replace(l1=0.0, l2=0.0)
    share = plain.share(other, other(inputs), whole)
    share.backward()  # type: ignore[no-untyped-call]
    assert torch.equal(share, nll)
    assert all(map(torch.equal, gradients(one), gradients(other)))
    weight = one.linear.weight
    penalised = OBJECTIVE.share(one, one(inputs), whole)
    price = 0.01 * weight.abs().sum() + 0.1 / 2 * weight.square().sum()
    assert (penalised - nll).item() == pytest.approx(price.item(), abs=ROUNDING)
