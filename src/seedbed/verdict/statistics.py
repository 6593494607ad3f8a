"""The mean of one setting with its spread and interval, from plain numbers."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64
from scipy import special, stats

Values = Float64[np.ndarray, " run"]
Sample = Float64[np.ndarray, " _"]  # beside others of other lengths
CONFIDENCE = 0.95
ALPHA = 0.05
# A spread below this share of the values is rounding in the last digits of float64.
ROUNDING = 1e-12


class Estimate(NamedTuple):
    """A mean with its standard error and the degrees of freedom of Student's t.

    Args:
        mean: in the metric's own unit.
        error: standard error, same unit; 0 where the values show no spread.
        freedom: degrees of freedom, 1 or more.
    """

    mean: float
    error: float
    freedom: float

    def interval(self) -> tuple[float, float]:
        """95 % interval; of no width where the values show no spread."""
        half = float(special.stdtrit(self.freedom, 1 - ALPHA / 2)) * self.error
        return self.mean - half, self.mean + half

    def p_value(self) -> float:
        """Two-sided, of a true mean of 0; the error must not be 0."""
        return 2 * float(special.stdtr(self.freedom, -abs(self.mean) / self.error))

    def p_equivalent(self, margin: float) -> float:
        """P value of a true mean outside [-margin, margin]: the larger of two one-sided t tests.

        Source: Schuirmann 1987.
        """
        return float(special.stdtr(self.freedom, (abs(self.mean) - margin) / self.error))


def estimate(values: Values, ratio: float = 0.0, scale: float | None = None) -> Estimate:
    """The mean of two or more values.

    Args:
        values: one a run, finite, at least two.
        scale: as in `spread`.
        ratio: where the runs are folds of one data set: examples tested over examples trained on,
            1 / (K - 1) with K folds. They share training examples, so the variance of their mean is
            s^2 (1/n + ratio). Else 0.

    Source: Nadeau and Bengio 2003, section 5.
    """
    deviation = spread(values, scale)
    return Estimate(float(values.mean()), deviation * (1 / len(values) + ratio) ** 0.5, len(values) - 1)


def spread(values: Values, scale: float | None = None) -> float:
    """Standard deviation, n - 1 in the denominator; 0 where only rounding tells the values apart.

    Args:
        values: two or more.
        scale: size of the numbers that the values were computed from; None: of the values themselves.
    """
    deviation = float(values.std(ddof=1))
    size = float(np.abs(values).max()) if scale is None else scale
    return deviation if deviation > ROUNDING * size else 0.0


class Description(NamedTuple):
    """One metric over the runs of one setting.

    Args:
        n: number of runs.
        mean: in the metric's own unit, like all that follows.
        deviation: standard deviation with n - 1 in the denominator; None for one run.
        low: lower end of the 95 % interval of the mean; None for one run.
        high: its upper end.
        interquartile_mean: mean without the lowest and the highest quarter of the runs, of four or more.
    """

    n: int
    mean: float
    deviation: float | None
    low: float | None
    high: float | None
    interquartile_mean: float


def describe(values: Values, ratio: float = 0.0) -> Description:
    """Mean, spread, Student's t interval and interquartile mean of one or more finite values.

    Args:
        values: one a run.
        ratio: as in `estimate`.

    Source: the interquartile mean as in Agarwal et al. 2021.

    Example:
        >>> describe(np.array([0.5])).low is None
        True
    """
    middle = float(stats.trim_mean(values, 0.25))
    if len(values) < 2:
        return Description(1, float(values[0]), None, None, None, middle)
    mean = estimate(values, ratio)
    return Description(len(values), mean.mean, spread(values), *mean.interval(), middle)
