"""Whether a map depends on what a network has learnt: the test with random parameters."""

import copy
import statistics
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from scipy.stats import rankdata

from seedbed.album.attribution import Maps, Method, Question
from seedbed.model.network import Network

NUM_DRAWS = 5
# Two maps with this rank correlation share half the variance of their ranks: at or above it they are
# called alike. Adebayo et al. give no number; maps that ignore the parameters have 1, unrelated ones 0.
LARGEST_SIMILARITY = 0.5**0.5

Map = Float[np.ndarray, "row column"]


class Similarity(NamedTuple):
    """How alike two maps are, as Spearman's rank correlation, in [-1, 1].

    Args:
        signed: of the values.
        absolute: of their absolute values, where the two are not both 0.
    """

    signed: float
    absolute: float


class Verdict(NamedTuple):
    """What the test has found.

    Args:
        draws: one a draw of random parameters, each the mean over the examples.
        num_examples: whose maps were compared.
    """

    draws: tuple[Similarity, ...]
    num_examples: int

    @property
    def largest(self) -> float:
        """The largest similarity of any draw, signed or absolute."""
        return max(max(draw) for draw in self.draws)

    @property
    def passed(self) -> bool:
        """Whether every draw gave other maps."""
        return self.largest < LARGEST_SIMILARITY

    def told(self) -> str:
        """The numbers, for a caption or a message."""
        signed, absolute = (_spread([draw[place] for draw in self.draws]) for place in (0, 1))
        return (
            f"rank correlation {signed} of the values and {absolute} of their absolute values"
            f" ({len(self.draws)} draws, n = {self.num_examples} examples; alike from"
            f" {LARGEST_SIMILARITY:.2f} on, 1 for a map that ignores the parameters)"
        )


def _spread(values: list[float]) -> str:
    return f"{statistics.fmean(values):.2f} [{min(values):.2f} to {max(values):.2f}]"


def randomisation(method: Method, network: Network, question: Question, maps: Maps) -> Verdict:
    """Compares maps with those that the same network gives with random parameters.

    All layers are drawn anew at once, as where the paper's cascade ends.

    Args:
        method: that made the maps.
        network: trained; left as it is.
        question: what the maps answer.
        maps: of the trained network.

    Source: Adebayo et al. (2018), "Sanity checks for saliency maps", section 3, with rank correlation
    with and without absolute values as there.
    """
    draws = []
    for seed in range(NUM_DRAWS):
        others = method(randomised(network, seed), question)
        pairs = [
            similarity(*pair) for pair in zip(maps.double().numpy(), others.double().numpy(), strict=True)
        ]
        draws.append(Similarity(*(statistics.fmean(column) for column in zip(*pairs, strict=True))))
    return Verdict(tuple(draws), len(maps))


def randomised(network: Network, seed: int) -> Network:
    """A copy with every parameter drawn anew by its layer's own initialiser.

    Filters that are computed from the data stay, because no training has moved them.

    Args:
        network: any.
        seed: of the draw.
    """
    drawn = copy.deepcopy(network)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for part in drawn.modules():
            reset = getattr(part, "reset_parameters", None)
            if reset is not None:
                reset()
    return drawn


def similarity(first: Map, second: Map) -> Similarity:
    """How alike two maps of the same input are.

    Where both are 0 there is often nothing to see, such as the black around a digit: of absolute values,
    which rank zeros last, these places would make any two maps alike, and so they do not count.

    Args:
        first: one map.
        second: another.
    """
    somewhere = (first != 0) | (second != 0)
    absolute = _rank_correlation(np.abs(first[somewhere]), np.abs(second[somewhere]))
    return Similarity(_rank_correlation(first.ravel(), second.ravel()), absolute)


def _rank_correlation(first: Float[np.ndarray, " place"], second: Float[np.ndarray, " place"]) -> float:
    """Spearman's; 0 where one is the same everywhere, 1 where both are: nothing to tell them apart."""
    flat = [len(np.unique(values)) <= 1 for values in (first, second)]
    if any(flat):
        return float(all(flat))
    return float(np.corrcoef(rankdata(first), rankdata(second))[0, 1])
