"""What the random streams draw is independent and uniform."""

import math
from itertools import combinations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import stats

from seedbed.streams import bits, example_keys, permutation, spawn, uniform

# The seeds are fixed, so these tests pass for good or fail for good. A right generator would fail
# one of them with the probability that is named here.
TAIL = 1e-6
NUM_EXAMPLES = 4096
INDICES = torch.arange(NUM_EXAMPLES)


def correlation_bound(num_pairs: int) -> float:
    """What the correlation of independent draws exceeds with probability `TAIL`."""
    return float(stats.norm.isf(TAIL / 2)) / math.sqrt(num_pairs)


def drawn(stream: int, epoch: int = 0, num_draws: int = 8) -> NDArray[np.float32]:
    """Uniform numbers of every example, (example, draw)."""
    return uniform(example_keys(stream, epoch, INDICES), num_draws).numpy()


def correlation(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    return abs(float(np.corrcoef(first.ravel(), second.ravel())[0, 1]))


# Independence --------------------------------------------------------------------------------------


def test_streams_epochs_examples_and_draws_do_not_follow_one_another() -> None:
    own = spawn(0)
    base = drawn(own.augmentation)
    pairs = {
        "stream": (base, drawn(own.dropout)),
        "seed": (base, drawn(spawn(1).augmentation)),
        "epoch": (base, drawn(own.augmentation, epoch=1)),
        "next example": (base[1:], base[:-1]),
        "next draw": (base[:, 1:], base[:, :-1]),
    }
    for name, (first, second) in pairs.items():
        assert correlation(first, second) < correlation_bound(first.size), name


def test_the_layers_of_a_network_are_silenced_independently() -> None:
    keys = example_keys(spawn(0).dropout, 0, INDICES)
    masks = [(bits(keys, 16, layer) < 0).numpy().astype(np.float32) for layer in range(4)]
    for first, second in combinations(masks, 2):
        assert correlation(first, second) < correlation_bound(first.size)


def test_the_units_of_a_layer_are_silenced_independently() -> None:
    keys = example_keys(spawn(0).dropout, 0, INDICES)
    mask = (bits(keys, 64, layer=0) < 0).numpy().astype(np.float32)
    between = np.atleast_2d(np.corrcoef(mask, rowvar=False))[np.triu_indices(64, 1)]
    # The largest of 2016 correlations is judged by a bound 2016 times as rare.
    assert np.abs(between).max() < float(stats.norm.isf(TAIL / 2 / len(between))) / math.sqrt(NUM_EXAMPLES)


def test_the_orders_of_two_epochs_are_unrelated() -> None:
    orders = [permutation(spawn(0).order, epoch, 10_000).numpy() for epoch in range(4)]
    for first, second in combinations(orders, 2):
        assert abs(stats.spearmanr(first, second).statistic) < correlation_bound(10_000)
        # Two random permutations agree in Poisson(1) places.
        assert (first == second).sum() <= stats.poisson.isf(TAIL, 1)


# Uniformity ----------------------------------------------------------------------------------------


def test_uniform_numbers_are_uniform_in_steps_of_two_to_the_minus_24() -> None:
    numbers = drawn(spawn(3).augmentation)
    assert numbers.min() >= 0
    assert numbers.max() < 1
    assert np.array_equal(numbers * 2.0**24, np.floor(numbers * 2.0**24))
    assert stats.kstest(numbers.ravel(), "uniform").pvalue > TAIL


def test_pairs_of_draws_fill_the_square_evenly() -> None:
    numbers = drawn(spawn(3).augmentation, num_draws=2)
    counts, _, _ = np.histogram2d(numbers[:, 0], numbers[:, 1], bins=8, range=[[0, 1], [0, 1]])
    assert stats.chisquare(counts.ravel()).pvalue > TAIL


@pytest.mark.parametrize("position", range(32))
def test_each_of_the_32_bits_is_fair(position: int) -> None:
    keys = example_keys(spawn(3).dropout, 0, INDICES)
    ones = int((bits(keys, 16, layer=0) >> position & 1).sum())
    assert stats.binomtest(ones, 16 * NUM_EXAMPLES, 0.5).pvalue > TAIL


def test_bytes_of_the_bits_are_evenly_spread() -> None:
    keys = example_keys(spawn(3).dropout, 0, INDICES)
    octets = bits(keys, 16, layer=0).numpy().view(np.uint8)
    assert stats.chisquare(np.bincount(octets.ravel(), minlength=256)).pvalue > TAIL


def test_a_threshold_on_the_bits_silences_the_share_it_should() -> None:
    # -2^31 + p 2^32: the share p of all 32-bit integers lies below.
    keys = example_keys(spawn(3).dropout, 0, INDICES)
    for share in (0.1, 0.5, 0.9):
        silenced = int((bits(keys, 16, layer=0) < round(-(2**31) + share * 2**32)).sum())
        assert stats.binomtest(silenced, 16 * NUM_EXAMPLES, share).pvalue > TAIL
