"""A slot is the lowest bits of a code, and a logit the sum of its slots and the bias."""

from typing import Any

import pytest
import torch

from seedbed.errors import ConfigError
from seedbed.model.hashed import HashedLogistic


def network(**changes: Any) -> HashedLogistic:
    keys: dict[str, Any] = {"input_shape": (3,), "num_classes": 2, "num_slots": 8, "sparse_gradient": True}
    return HashedLogistic(**(keys | changes))


def test_a_logit_is_the_sum_of_the_slots_of_a_row_and_the_bias() -> None:
    hashed = network()
    with torch.no_grad():
        hashed.slots.weight.copy_(torch.arange(8.0)[:, None])
        hashed.bias.fill_(100)
    codes = torch.tensor([[0.0, 7.0, 8.0], [15.0, 15.0, 2.0**24 - 1]])
    assert hashed(codes).tolist() == [[107.0], [121.0]]


def test_every_code_keeps_its_slot_in_single_precision() -> None:
    hashed = network(num_slots=2**24, input_shape=(1,))
    with torch.no_grad():
        hashed.slots.weight[-2:, 0] = torch.tensor([3.0, 5.0])
    assert hashed(torch.tensor([[2.0**24 - 2], [2.0**24 - 1]])).tolist() == [[3.0], [5.0]]


def test_a_sparse_gradient_is_the_dense_one() -> None:
    codes, labels = torch.tensor([[1.0, 9.0, 2.0], [4.0, 4.0, 1.0], [0.0, 1.0, 3.0]]), torch.tensor([0, 1, 1])
    gradients = []
    for sparse in (True, False):
        hashed = network(sparse_gradient=sparse)
        hashed.likelihood.nll(hashed(codes), labels).mean().backward()  # type: ignore[no-untyped-call]
        assert hashed.slots.weight.grad is not None
        assert hashed.slots.weight.grad.is_sparse is sparse
        gradients.append(hashed.slots.weight.grad)
    torch.testing.assert_close(gradients[0].to_dense(), gradients[1])


@pytest.mark.parametrize("num_slots", [0, -8, 6, 2**25])
def test_a_number_of_slots_that_is_no_power_of_two_is_refused(num_slots: int) -> None:
    with pytest.raises(ConfigError) as caught:
        network(num_slots=num_slots)
    assert str(caught.value) == (
        f"model.num_slots: expected a power of two from 1 to 16777216, got {num_slots}. "
        "262144 (2^18) is 1 MB of weights; two categories then share a slot now and then."
    )
