"""A population of clicks whose truth is known: every probability, and so the least loss there can be.

Each field of a row is drawn on its own by Zipf's law, and the log odds of a click are an intercept and a
weight a category. All of it is a pure function of the arguments, rows of their place, so that more rows
are the same rows and some behind them.
"""

import math
from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple, final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Rows drawn together, each such lot from a generator of its own; and how many the intercept is set by.
LOT = 2**15
# Standard deviation of the log odds over rows, were all categories equally frequent.
SIGNAL = 1.5
# What the draws of weights, of the intercept's rows and of rows begin with.
WEIGHTS, SURVEY, ROWS = 0, 1, 2


class Rows(NamedTuple):
    """Rows of the population, in order.

    Args:
        categories: [row, field]; 0 is the most frequent category of its field.
        probabilities: of a click, the true ones.
        clicks: 0 or 1, drawn from them.
    """

    categories: Ints
    probabilities: Floats
    clicks: Ints


@final
class Population:
    """Rows without end.

    Args:
        num_categories: of each field, 1 or more.
        zipf_exponent: frequency falls with rank to minus this power, 0 or more.
        base_rate: mean probability of a click, in (0, 1).
        seed: of everything that is drawn, 0 or more.

    Example:
        >>> people = Population([5, 3], zipf_exponent=1.0, base_rate=0.1, seed=0)
        >>> people.rows(0, 2).categories.shape
        (2, 2)
    """

    def __init__(
        self, num_categories: list[int], *, zipf_exponent: float, base_rate: float, seed: int
    ) -> None:
        self._num_categories, self._exponent = num_categories, zipf_exponent
        self._base_rate, self._seed = base_rate, seed

    @cached_property
    def weights(self) -> list[Floats]:
        """What each category of each field adds to the log odds."""
        spread = SIGNAL / math.sqrt(len(self._num_categories))
        generator = self._generator(WEIGHTS)
        return [spread * generator.standard_normal(count) for count in self._num_categories]

    @cached_property
    def intercept(self) -> float:
        """Log odds that give the base rate over `LOT` rows drawn for this alone."""
        scores = self._scores(self._categories(self._generator(SURVEY)))
        low, high = -50.0, 50.0
        while high - low > 1e-12:
            middle = (low + high) / 2
            low, high = (
                (middle, high) if _sigmoid(scores + middle).mean() < self._base_rate else (low, middle)
            )
        return (low + high) / 2

    def rows(self, begin: int, end: int) -> Rows:
        """The rows from `begin` to before `end`."""
        lots = list(self.lots(begin, end))
        categories, probabilities, clicks = zip(*lots, strict=True)
        return Rows(np.concatenate(categories), np.concatenate(probabilities), np.concatenate(clicks))

    def lots(self, begin: int, end: int) -> Iterator[Rows]:
        """The same rows, at most `LOT` at a time."""
        for number in range(begin // LOT, -(-end // LOT)):
            first = number * LOT
            lot, part = self._lot(number), slice(max(begin - first, 0), min(end - first, LOT))
            yield Rows(lot.categories[part], lot.probabilities[part], lot.clicks[part])

    def _lot(self, number: int) -> Rows:
        generator = self._generator(ROWS, number)
        categories = self._categories(generator)
        probabilities = _sigmoid(self._scores(categories) + self.intercept)
        clicks = (generator.random(LOT) < probabilities).astype(np.int64)
        return Rows(categories, probabilities, clicks)

    def _categories(self, generator: np.random.Generator) -> Ints:
        drawn = [np.searchsorted(shares, generator.random(LOT)) for shares in self._shares]
        return np.stack(drawn, axis=1)

    @cached_property
    def _shares(self) -> list[Floats]:
        """Share of each field's rows whose category comes at or before each one but the last."""
        frequencies = [np.arange(1, count + 1.0) ** -self._exponent for count in self._num_categories]
        return [np.cumsum(field / field.sum())[:-1] for field in frequencies]

    def _scores(self, categories: Ints) -> Floats:
        return sum(
            (field[column] for field, column in zip(self.weights, categories.T, strict=True)),
            start=np.zeros(len(categories)),
        )

    def _generator(self, *path: int) -> np.random.Generator:
        return np.random.default_rng([self._seed, *path])


def bayes_loss(probabilities: Floats) -> float:
    """Mean entropy of a click in nats: what the true probabilities lose on average, and nobody undercuts.

    Example:
        >>> bayes_loss(np.array([0.5, 0.5]))
        0.6931471805599453
    """
    return float(
        np.mean(-probabilities * np.log(probabilities) - (1 - probabilities) * np.log1p(-probabilities))
    )


def loss_of(probabilities: Floats, clicks: Ints) -> float:
    """Mean log loss of these probabilities on these clicks, in nats.

    That of the true probabilities scatters about `bayes_loss`.
    """
    return float(-np.mean(np.where(clicks == 1, np.log(probabilities), np.log1p(-probabilities))))


def _sigmoid(scores: Floats) -> Floats:
    return 1 / (1 + np.exp(-scores))
