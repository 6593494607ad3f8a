"""What a number of runs can see, and how many runs an effect needs."""

import math
from typing import NamedTuple

from scipy import optimize, special

from seedbed.verdict.statistics import ALPHA

POWER = 0.8
MAX_NUM_SEEDS = 10_000


class Design(NamedTuple):
    """How two settings are compared by a t test.

    Args:
        paired: on the differences of pairs, else on two independent samples.
        ratio: examples tested over examples trained on where the runs are folds, else 0.
    """

    paired: bool
    ratio: float = 0.0

    def effective(self, num_a: int, num_b: int) -> float:
        """The number n for which sd / sqrt(n) is the standard error of the difference."""
        if self.paired:
            return 1 / (1 / num_a + self.ratio)
        return 1 / (1 / num_a + 1 / num_b + 2 * self.ratio)

    def freedom(self, num_a: int, num_b: int) -> int:
        return num_a - 1 if self.paired else num_a + num_b - 2


def power(effect: float, design: Design, num_a: int, num_b: int, alpha: float = ALPHA) -> float:
    """Chance that a two-sided t test finds a true effect, with its right sign.

    The chance to find it with the wrong sign, below 1e-9 where the power is 0.8, is left out: SciPy's
    noncentral t has no number for some of these far tails.

    Args:
        effect: true difference in standard deviations, of the differences where paired, else of one
            setting; 0 or more.
        design: paired or not, folds or not.
        num_a: runs of the first setting, or pairs; 2 or more.
        num_b: runs of the second setting.
        alpha: level of the test.
    """
    from statsmodels.stats.power import ttest_power

    size, freedom = design.effective(num_a, num_b), design.freedom(num_a, num_b)
    found = float(ttest_power(effect, size, alpha / 2, df=freedom, alternative="larger"))
    if math.isnan(found):
        # SciPy has no number for some effects far beyond the critical value, where the power is 1.
        return float(effect * size**0.5 > special.stdtrit(freedom, 1 - alpha / 2))
    return found


def smallest_effect(design: Design, num_a: int, num_b: int, alpha: float = ALPHA) -> float:
    """The least true effect, in standard deviations, that is found with 80 % power."""
    critical = float(special.stdtrit(design.freedom(num_a, num_b), 1 - alpha / 2))
    # With one degree of freedom 1.3 times the critical value suffices, with more less.
    most = 3 * (critical + 1) / design.effective(num_a, num_b) ** 0.5
    missing = lambda effect: power(effect, design, num_a, num_b, alpha) - POWER
    return float(optimize.brentq(missing, 0.0, most))


def num_seeds(effect: float, design: Design, alpha: float = ALPHA) -> int | None:
    """Runs a setting, or pairs, with which a true effect is found with 80 % power.

    Returns:
        None for an effect of 0, which no number finds; MAX_NUM_SEEDS + 1 where that many do not suffice.
    """
    if effect == 0:
        return None
    too_few, enough = 1, 2
    while power(abs(effect), design, enough, enough, alpha) < POWER:
        if enough > MAX_NUM_SEEDS:
            return MAX_NUM_SEEDS + 1
        too_few, enough = enough, 2 * enough
    while enough - too_few > 1:
        middle = (too_few + enough) // 2
        if power(abs(effect), design, middle, middle, alpha) >= POWER:
            enough = middle
        else:
            too_few = middle
    return min(enough, MAX_NUM_SEEDS + 1)
