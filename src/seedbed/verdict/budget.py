"""What a search would have found with fewer trials."""

from typing import Literal

import numpy as np
from jaxtyping import Float64

from seedbed.verdict.statistics import Values


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
