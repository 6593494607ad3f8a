"""The fitted curve of a logistic regression on one column: its band, and where it crosses one half.

Both follow from the intercept, the slope and their covariance alone, which is what a record keeps.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64
from scipy.special import expit
from scipy.stats import norm

from seedbed.model.profile import Interval

Values = Float64[np.ndarray, " value"]
Covariance = Float64[np.ndarray, "2 2"]

LEVEL = 0.95


class Line(NamedTuple):
    """A fitted straight line of log odds.

    Args:
        intercept: log odds at 0.
        slope: change of the log odds for one more unit of the column.
        covariance: of the two, in this order.
    """

    intercept: float
    slope: float
    covariance: Covariance


class Band(NamedTuple):
    """Log odds at each value, with the ends of their pointwise interval."""

    middle: Values
    low: Values
    high: Values

    def probabilities(self) -> "Band":
        """The same as probabilities: the sigmoid keeps the order, so the ends stay inside (0, 1)."""
        return Band(*(expit(part) for part in self))


def band(line: Line, values: Values, level: float = LEVEL) -> Band:
    """The pointwise Wald interval of the log odds, by the delta method.

    The variance at x is (1, x) C (1, x)'. An interval on the probabilities themselves would leave
    [0, 1] where few examples are; one on the log odds cannot.

    Args:
        line: as fitted.
        values: of the column, where the band is wanted.
        level: share of intervals that hold the true log odds, in (0, 1).

    Source: Hosmer and Lemeshow (2000), "Applied logistic regression", section 1.4.
    """
    design = np.column_stack([np.ones_like(values), values])
    errors = np.sqrt(np.einsum("ij,jk,ik->i", design, line.covariance, design))
    middle = line.intercept + line.slope * values
    reach = float(norm.ppf((1 + level) / 2)) * errors
    return Band(middle, middle - reach, middle + reach)


def even_odds_interval(line: Line, level: float = LEVEL) -> Interval | None:
    """Fieller's interval of -intercept / slope, the value at which both classes are equally probable.

    It holds the values whose log odds do not differ from 0 at this level: those where the band holds
    one half. It need not be symmetric. None where the slope does not differ from 0 at this level, since
    the set is then not an interval.

    Args:
        line: as fitted.
        level: in (0, 1).

    Source: E. C. Fieller (1954), "Some problems in interval estimation".

    Example:
        >>> line = Line(-2.0, 1.0, np.array([[0.04, 0.0], [0.0, 0.0]]))  # the intercept alone is unsure
        >>> ends = even_odds_interval(line)
        >>> [round(end, 3) for end in ends or ()]
        [1.608, 2.392]
    """
    z2 = float(norm.ppf((1 + level) / 2)) ** 2
    (v00, v01), (_, v11) = line.covariance.tolist()
    # (intercept + slope x)^2 = z^2 (v00 + 2 v01 x + v11 x^2), a quadratic in x.
    a = line.slope**2 - z2 * v11
    if a <= 0:
        return None
    b = line.intercept * line.slope - z2 * v01
    c = line.intercept**2 - z2 * v00
    reach = float(np.sqrt(b * b - a * c))
    return (-b - reach) / a, (-b + reach) / a
