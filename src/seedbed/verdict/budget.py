"""What a search would have found with fewer trials."""

from typing import Literal

import numpy as np
from jaxtyping import Float64

from seedbed.verdict.statistics import ALPHA, ROUNDING, Values


def expected_best(values: Values, direction: Literal["lower", "higher"]) -> Float64[np.ndarray, " budget"]:
    """Expected best value of k trials drawn at random, with replacement, from those that were run.

    Args:
        values: the validation metric of each trial, finite, at least one.
        direction: which way the metric improves.

    Returns:
        The expectation for k = 1 .. n, which gets better with k.

    Source: Dodge et al. 2019, equation 4 and what follows: the best of k draws is at most the i-th of n
        sorted values with probability (i / n)^k.

    Example:
        >>> expected_best(np.array([1.0, 2.0]), "higher")
        array([1.5 , 1.75])
    """
    sign = 1.0 if direction == "higher" else -1.0
    ordered = np.sort(sign * values)
    budgets = np.arange(1, len(values) + 1)[:, None]
    at_most = (np.arange(len(values) + 1) / len(values)) ** budgets
    return sign * (np.diff(at_most, axis=1) @ ordered)


def best_in_any_order(
    values: Values, direction: Literal["lower", "higher"]
) -> tuple[Float64[np.ndarray, " budget"], Float64[np.ndarray, " budget"]]:
    """The middle 95 % of what the best of the first k values is, over all orders of these values.

    Exact, without drawing an order: the best of k of n values, none drawn twice, is at most the i-th of
    the sorted ones in C(i, k) of C(n, k) cases, a product of k factors.

    Args:
        values: as in `expected_best`.
        direction: as in `expected_best`.

    Returns:
        Lower and upper ends for k = 1 .. n; at n both are the best value.

    Example:
        >>> best_in_any_order(np.array([3.0, 1.0, 2.0]), "lower")
        (array([1., 1., 1.]), array([3., 2., 1.]))
    """
    sign = 1.0 if direction == "higher" else -1.0
    ordered = np.sort(sign * values)
    number = len(values)
    budgets, ranks = np.arange(1, number + 1)[:, None], np.arange(1, number + 1)
    at_most = np.cumprod(np.maximum(ranks - budgets + 1, 0) / (number - budgets + 1), axis=0)
    worse, better = (
        sign * ordered[np.argmax(at_most >= share - ROUNDING, axis=1)] for share in (ALPHA / 2, 1 - ALPHA / 2)
    )
    return (worse, better) if direction == "higher" else (better, worse)
