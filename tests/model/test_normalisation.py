"""Batch statistics are those of the whole batch, however many processes share it."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from seedbed.model.normalisation import BatchNorm
from seedbed.seat import Seat
from tests.groups import together

# A mean that is large beside the spread, where careless statistics lose digits.
OFFSET = 10
# Sums of a few hundred float64 terms in another order, four steps long.
ROUNDING = 1e-12
# What half precision leaves of a number of order one; bfloat16 keeps 8 bits.
HALF = {torch.float16: 2e-3, torch.bfloat16: 2e-2}
# With two or three processes some share of these batches is uneven, and one is empty.
SIZES = (7, 1, 2, 5)
CHANNELS = 3


def grown() -> nn.Sequential:
    """Two normalisations with something to learn in between."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        layers = [nn.Conv2d(2, CHANNELS, 3), BatchNorm(CHANNELS), nn.Conv2d(CHANNELS, 2, 1), BatchNorm(2)]
    return nn.Sequential(*layers).double()


def maps(size: int) -> Tensor:
    generator = torch.Generator().manual_seed(size)
    return OFFSET + torch.randn(size, 2, 5, 6, generator=generator, dtype=torch.float64)


def trained(seat: Seat) -> dict[str, np.ndarray]:
    """Weights and running statistics after a step on each batch."""
    network = grown()
    shared = network if seat.alone else DistributedDataParallel(network)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    for size in SIZES:
        share = maps(size)[seat.rank :: seat.world_size]
        loss = shared(share).sigmoid().square().sum() / size * seat.world_size
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return {name: value.numpy() for name, value in network.state_dict().items()}


@pytest.mark.parametrize("world_size", [2, 3])
def test_weights_and_running_statistics_are_those_of_one_process(world_size: int, tmp_path: Path) -> None:
    alone = trained(Seat())
    for state in together(world_size, tmp_path / "store", trained):
        for name, value in alone.items():
            np.testing.assert_allclose(state[name], value, rtol=0, atol=ROUNDING, err_msg=name)


def test_alone_it_is_torchs_own_to_the_last_bit() -> None:
    own, ours = nn.BatchNorm2d(2).double(), BatchNorm(2).double()
    for size in SIZES:
        assert torch.equal(own(maps(size)), ours(maps(size)))
    assert list(own.state_dict()) == list(ours.state_dict())
    assert all(map(torch.equal, own.state_dict().values(), ours.state_dict().values()))


def halved(seat: Seat) -> list[float]:
    """How far the outputs of half-precision maps are from those of the same maps in float64."""
    distances = []
    for dtype in HALF:
        share = maps(7).sub(OFFSET)[seat.rank :: seat.world_size].to(dtype)
        exact = BatchNorm(2).double()(share.double()).detach()
        rounded = BatchNorm(2)(share)
        assert rounded.dtype == dtype
        distances.append(float((rounded.detach().double() - exact).abs().max()))
    return distances


def test_half_precision_maps_are_normalised_in_single_precision(tmp_path: Path) -> None:
    for distances in together(2, tmp_path / "store", halved):
        assert all(found < allowed for found, allowed in zip(distances, HALF.values(), strict=True))
