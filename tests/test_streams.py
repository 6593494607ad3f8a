"""The random streams: pure, the same as ever, and equal to their reference in unsigned integers."""

import doctest
from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from seedbed import streams
from seedbed.errors import ConfigError
from seedbed.streams import Streams, bits, example_keys, permutation, spawn, uniform

NUM_EXAMPLES = 4096
INDICES = torch.arange(NUM_EXAMPLES)


def test_the_example_in_the_docstring_holds() -> None:
    assert doctest.testmod(streams) == (0, 2)


# Roots ---------------------------------------------------------------------------------------------


def test_the_same_seed_has_the_same_streams_and_zero_is_a_seed() -> None:
    assert spawn(0) == spawn(0)
    assert not set(spawn(0)) & set(spawn(1))


def test_no_two_of_many_streams_are_the_same() -> None:
    spawned = [stream for seed in range(2000) for stream in spawn(seed)]
    assert len(set(spawned)) == len(spawned)
    assert all(0 <= stream < 2**63 for stream in spawned)


@pytest.mark.parametrize("name", Streams._fields)
@pytest.mark.parametrize("root", [0, 3])
def test_pinning_moves_one_stream_to_another_roots_and_no_other(name: str, root: int) -> None:
    assert spawn(7, {name: root}) == spawn(7)._replace(**{name: getattr(spawn(root), name)})


def test_a_stream_pinned_to_nothing_is_the_seeds_own() -> None:
    assert spawn(7, dict.fromkeys(Streams._fields)) == spawn(7)


def test_a_negative_seed_is_refused_by_its_key() -> None:
    with pytest.raises(ConfigError) as caught:
        spawn(-1)
    assert str(caught.value) == "seed: expected 0 or more, got -1. Choose another integer."
    with pytest.raises(ConfigError, match=r"^streams\.order: expected 0 or more, got -3\."):
        spawn(0, {"order": -3})


def test_a_stream_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"^streams\.odrer: expected one of seed, streams\.split, "):
        spawn(0, {"odrer": 3})


# Frozen values: a change of any of them changes every recorded result. -----------------------------


def test_the_streams_of_a_seed_are_what_they_have_always_been() -> None:
    assert spawn(0) == Streams(
        split=4334430513956379144,
        init=2440950710608614359,
        order=8226343694796210948,
        augmentation=6619194650426729951,
        dropout=8366031049750315900,
    )
    assert spawn(2**40 + 1).init == 7945536340944617248


def test_the_order_of_an_epoch_is_what_it_has_always_been() -> None:
    assert permutation(spawn(0).order, 3, 12).tolist() == [4, 10, 8, 6, 2, 11, 0, 1, 9, 5, 3, 7]


def test_what_an_example_draws_is_what_it_has_always_been() -> None:
    keys = example_keys(spawn(0).dropout, 2, torch.tensor([0, 1, 59_999]))
    assert keys.tolist() == [9074818596406941367, -2814266050559239216, 503602617670895102]
    assert (uniform(keys, 2) * 2**24).long().tolist() == [
        [252300, 12274162],
        [7646158, 592386],
        [15814240, 9577920],
    ]
    assert bits(keys, 1, layer=1).tolist() == [[-293066909], [-1034910765], [-1582050335]]
    assert bits(keys, 1, layer=5).tolist() == [[-2125602979], [-339648453], [-1871049960]]


# Purity --------------------------------------------------------------------------------------------


def test_an_epochs_order_is_a_permutation_and_pure() -> None:
    order = permutation(spawn(1).order, 4, 1000)
    torch.manual_seed(5)
    assert torch.equal(permutation(spawn(1).order, 4, 1000), order)
    assert torch.equal(order.sort().values, torch.arange(1000))


def test_drawing_leaves_torchs_own_generator_alone() -> None:
    before = torch.random.get_rng_state()
    permutation(1, 0, 100)
    bits(example_keys(1, 0, INDICES), 3, layer=0)
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize(
    "draw",
    [lambda keys: uniform(keys, 5), lambda keys: bits(keys, 5, layer=2)],
    ids=["uniform", "bits"],
)
def test_an_example_draws_the_same_in_any_batch(draw: Callable[[torch.Tensor], torch.Tensor]) -> None:
    together = draw(example_keys(9, 3, INDICES))
    mixed = torch.randperm(NUM_EXAMPLES, generator=torch.Generator().manual_seed(0))
    assert torch.equal(draw(example_keys(9, 3, mixed)), together[mixed])
    assert torch.equal(draw(example_keys(9, 3, torch.tensor([77])))[0], together[77])


def test_more_draws_leave_the_first_ones_alone() -> None:
    keys = example_keys(9, 3, INDICES)
    assert torch.equal(uniform(keys, 9)[:, :4], uniform(keys, 4))
    assert torch.equal(bits(keys, 9, layer=1)[:, :4], bits(keys, 4, layer=1))


# The same in NumPy's unsigned integers ---------------------------------------------------------------


def splitmix64(state: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of splitmix64, from its reference in C."""
    state = (state ^ state >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ state >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    return state ^ state >> np.uint64(31)


def fmix32(state: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """The 32-bit finaliser of MurmurHash3, from its reference in C++."""
    state = (state ^ state >> np.uint32(16)) * np.uint32(0x85EBCA6B)
    state = (state ^ state >> np.uint32(13)) * np.uint32(0xC2B2AE35)
    return state ^ state >> np.uint32(16)


def test_splitmix64_has_its_published_first_outputs_for_seed_1234567() -> None:
    golden = 0x9E3779B97F4A7C15
    state = np.array([1234567 + place * golden for place in (1, 2, 3)], dtype=object) % 2**64
    expected = [6457827717110365317, 3203168211198807973, 9817491932198370423]
    assert splitmix64(state.astype(np.uint64)).tolist() == expected


@pytest.mark.parametrize("index", [0, 1, 2**31, 2**62])
def test_signed_keys_are_splitmix64_in_unsigned_arithmetic(index: int) -> None:
    start = np.random.SeedSequence([5, 7]).generate_state(1, np.uint64)
    golden = np.array([0x9E3779B97F4A7C15], dtype=np.uint64)
    expected = splitmix64(start + np.array([index], dtype=np.uint64) * golden)
    keys = example_keys(5, 7, torch.tensor([index]))
    assert keys.numpy().view(np.uint64).tolist() == expected.tolist()


def test_signed_uniform_numbers_are_those_of_unsigned_arithmetic() -> None:
    keys = example_keys(5, 7, INDICES)
    counter = np.arange(1, 9, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    expected = splitmix64(keys.numpy().view(np.uint64)[:, None] + counter) >> np.uint64(40)
    assert np.array_equal(uniform(keys, 8).numpy(), expected.astype(np.float64) / 2**24)


@pytest.mark.parametrize("layer", [0, 1, 17])
def test_signed_bits_are_murmurs_in_unsigned_arithmetic(layer: int) -> None:
    keys = example_keys(5, 7, INDICES)
    of_layer = np.array([layer], dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    start = splitmix64(keys.numpy().view(np.uint64) + of_layer).astype(np.uint32)
    steps = np.arange(33, dtype=np.uint32) * np.uint32(0x9E3779B9)
    expected = fmix32(start[:, None] + steps)
    assert np.array_equal(bits(keys, 33, layer).numpy().view(np.uint32), expected)
