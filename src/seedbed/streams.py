"""Named random streams: what enters is a root seed, what leaves are independent streams.

One root seed spawns five streams (split, init, order, augmentation, dropout); each can be pinned
alone to the stream another root seed would have had. Everything drawn later is a pure function of
(stream, epoch, example index), never of worker, rank or device state, so that neither a resumed run
nor another number of processes can see other numbers.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Int64
from torch import Tensor

from seedbed.errors import ConfigError
from seedbed.shapes import Bits, Indices, Keys, Uniform

# splitmix64 (Steele, Lea and Flood 2014): increment and the two multipliers of its finaliser.
GOLDEN, FIRST, SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
# murmur3's 32-bit finaliser (Appleby 2011), and 2^32 over the golden ratio.
GOLDEN32, FIRST32, SECOND32 = 0x9E3779B9, 0x85EBCA6B, 0xC2B2AE35


class Streams(NamedTuple):
    """One non-negative 63-bit seed a stream."""

    split: int
    init: int
    order: int
    augmentation: int
    dropout: int


def spawn(seed: int, pinned: Mapping[str, int | None] | None = None) -> Streams:
    """The five streams of a root seed.

    Args:
        seed: the root seed, 0 or more (0 is a seed like any other).
        pinned: stream name to the root seed whose stream of that name is used instead; None: `seed`.

    Raises:
        ConfigError: for a negative seed or a stream that does not exist.

    Example:
        >>> spawn(0).init == spawn(1).init
        False
        >>> spawn(0, {"init": 1}) == spawn(0)._replace(init=spawn(1).init)
        True
    """
    chosen = {name: root for name, root in (pinned or {}).items() if root is not None}
    _check({"seed": seed} | {f"streams.{name}": root for name, root in chosen.items()})
    roots = (chosen.get(name, seed) for name in Streams._fields)
    return Streams(*(_spawned(root, place) for place, root in enumerate(roots)))


def _check(roots: Mapping[str, int]) -> None:
    allowed = ("seed", *(f"streams.{name}" for name in Streams._fields))
    for key, root in roots.items():
        if key not in allowed:
            do = "Correct its spelling or leave it out."
            raise ConfigError(key, expected="one of " + ", ".join(allowed), got=f"{key}={root}", do=do)
        if root < 0:
            raise ConfigError(key, expected="0 or more", got=str(root), do="Choose another integer.")


def _spawned(root: int, place: int) -> int:
    state = np.random.SeedSequence(root, spawn_key=(place,)).generate_state(1, np.uint64)
    return int(state[0] >> np.uint64(1))


def permutation(stream: int, epoch: int, num_examples: int) -> Int64[Tensor, " example"]:
    """The order of an epoch: a permutation of 0 .. num_examples-1, made on the CPU everywhere."""
    state = np.random.SeedSequence([stream, epoch]).generate_state(1, np.uint64)
    generator = torch.Generator().manual_seed(int(state[0] >> np.uint64(1)))
    return torch.randperm(num_examples, generator=generator)


def example_keys(stream: int, epoch: int, indices: Indices) -> Keys:
    """One 64-bit key an example, a pure function of (stream, epoch, index).

    Source: splitmix64, Steele, Lea and Flood (2014), "Fast splittable pseudorandom number generators".
    """
    state = np.random.SeedSequence([stream, epoch]).generate_state(1, np.uint64)
    return _mix(indices * _signed(GOLDEN) + _signed(int(state[0])))


def uniform(keys: Keys, num_draws: int) -> Uniform:
    """Numbers in [0, 1) in steps of 2^-24, `num_draws` an example, pure in the key and the draw."""
    counter = torch.arange(1, num_draws + 1, device=keys.device) * _signed(GOLDEN)
    mixed = _mix(keys[:, None] + counter)
    return _shift(mixed, 40).to(torch.float32) * 2.0**-24


def bits(keys: Keys, num_draws: int, layer: int) -> Bits:
    """32 random bits for each of `num_draws` units of a layer (0 or more), cheap enough for every step.

    Source: the 32-bit finaliser of MurmurHash3 (Appleby 2011) over a Weyl sequence.
    """
    start = _mix(keys + _signed(layer * GOLDEN % 2**64)).to(torch.int32)
    steps = torch.arange(num_draws, device=keys.device, dtype=torch.int32) * _signed(GOLDEN32, 32)
    mixed = start[:, None] + steps
    for shift, factor in ((16, FIRST32), (13, SECOND32)):
        mixed = (mixed ^ _shift(mixed, shift, 32)) * _signed(factor, 32)
    return mixed ^ _shift(mixed, 16, 32)


def _mix(state: Tensor) -> Tensor:
    state = (state ^ _shift(state, 30)) * _signed(FIRST)
    state = (state ^ _shift(state, 27)) * _signed(SECOND)
    return state ^ _shift(state, 31)


def _shift(state: Tensor, by: int, width: int = 64) -> Tensor:
    """A logical shift to the right; torch's own shift repeats the sign bit."""
    return (state >> by) & ((1 << (width - by)) - 1)


def _signed(constant: int, width: int = 64) -> int:
    """The same bits as a signed integer, the only kind torch multiplies on every device."""
    return constant - (1 << width) if constant >> (width - 1) else constant
