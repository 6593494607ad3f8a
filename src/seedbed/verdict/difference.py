"""What tells two settings apart: a difference with everything that one may want to know of it."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from seedbed.verdict import resampling
from seedbed.verdict.power import Design, num_seeds, smallest_effect
from seedbed.verdict.resampling import Improvement, Permutation
from seedbed.verdict.statistics import ALPHA, Estimate, Sample, Values, estimate


class Difference(NamedTuple):
    """Setting a minus setting b, in the metric's own unit.

    Args:
        design: whether the runs are paired, and whether they are folds.
        num_a: runs of a; the number of pairs where paired.
        num_b: runs of b.
        mean: difference of the means.
        estimate: the same with standard error and degrees of freedom; None where no t test exists: one
            run a setting, or no spread at all.
        improvement: how often a has the larger value.
        permutation: sign-flip test where paired, else exchange of runs; None for folds, which depend on
            one another, and for one run a setting.
        bootstrap: BCa interval, 95 %; None for folds and where it does not exist.
        p_corrected: p value of the t test after Holm over all pairs.
        smallest_effect: least true difference that as many runs find with 80 % power.
        num_seeds: runs a setting, or pairs, that would settle it at the observed effect with 80 % power;
            None where it is settled or no number would; above MAX_NUM_SEEDS where that does not suffice.
        p_equivalent: p value of a true difference beyond the margin, after Holm; None without margin.
    """

    design: Design
    num_a: int
    num_b: int
    mean: float
    estimate: Estimate | None
    improvement: Improvement
    permutation: Permutation | None = None
    bootstrap: tuple[float, float] | None = None
    p_corrected: float | None = None
    smallest_effect: float | None = None
    num_seeds: int | None = None
    p_equivalent: float | None = None

    @property
    def interval(self) -> tuple[float, float] | None:
        """95 % interval of this difference alone, as the t test has it before Holm."""
        return None if self.estimate is None else self.estimate.interval()

    @property
    def p_value(self) -> float | None:
        """Of the t test, before Holm."""
        return None if self.estimate is None else self.estimate.p_value()

    @property
    def deviation(self) -> float | None:
        """Standard deviation of the differences; of one setting, pooled, where unpaired."""
        if self.estimate is None:
            return None
        return self.estimate.error * math.sqrt(self.design.effective(self.num_a, self.num_b))

    @property
    def different(self) -> bool:
        """Whether the t test calls the settings different, with Holm over all pairs."""
        return self.p_corrected is not None and self.p_corrected <= ALPHA

    @property
    def equivalent(self) -> bool:
        """Whether the difference is shown to lie within the margin, with Holm over all pairs."""
        return self.p_equivalent is not None and self.p_equivalent <= ALPHA


def paired(a: Values, b: Values, ratio: float = 0.0) -> Difference:
    """Two settings whose runs are partners, place by place.

    Args:
        a: one value a pair, at least one.
        b: as many.
        ratio: as in `statistics.estimate`.
    """
    differences, num = a - b, len(a)
    found = estimate(differences, ratio, _scale(a, b)) if num > 1 else None
    exists = found is not None and found.error > 0
    resampled = num > 1 and not ratio
    share = resampling.improvement_of_pairs(differences)
    return Difference(
        Design(True, ratio),
        num,
        num,
        float(differences.mean()),
        found if exists else None,
        Improvement(share.share, None, None) if ratio else share,
        resampling.sign_flip(differences) if resampled else None,
        resampling.bootstrap(differences) if resampled and exists else None,
    )


def unpaired(a: Sample, b: Sample, ratio: float = 0.0) -> Difference:
    """Two settings whose runs share nothing: Welch's t test.

    Args:
        a: one value a run, at least one.
        b: likewise.
        ratio: as in `statistics.estimate`.
    """
    found = welch(a, b, ratio)
    exists = found is not None and found.error > 0
    resampled = min(len(a), len(b)) > 1 and not ratio
    share = resampling.improvement_of_samples(a, b) if resampled else resampling.improvement(a, b)
    return Difference(
        Design(False, ratio),
        len(a),
        len(b),
        float(a.mean() - b.mean()),
        found if exists else None,
        share,
        resampling.exchange(a, b) if resampled else None,
        resampling.bootstrap(a, b) if resampled and exists else None,
    )


def welch(a: Sample, b: Sample, ratio: float = 0.0) -> Estimate | None:
    """Difference of the means with Welch's degrees of freedom; None where no t test exists.

    Args:
        a: one value a run.
        b: likewise.
        ratio: as in `statistics.estimate`.

    Source: Welch 1947.
    """
    if min(len(a), len(b)) < 2:
        return None
    scale = _scale(a, b)
    means = [estimate(sample, ratio, scale) for sample in (a, b)]
    variances = [mean.error**2 for mean in means]
    if not sum(variances):
        return None
    weights = sum(variance**2 / mean.freedom for variance, mean in zip(variances, means, strict=True))
    return Estimate(means[0].mean - means[1].mean, sum(variances) ** 0.5, sum(variances) ** 2 / weights)


def _scale(a: Sample, b: Sample) -> float:
    return max(float(np.abs(a).max()), float(np.abs(b).max()))


def judge(differences: Sequence[Difference], margin: float | None = None) -> list[Difference]:
    """The same differences with what depends on all of them: Holm's correction and the power.

    The power is that of the level which an open pair has to pass in Holm's procedure, ALPHA over the
    number of open pairs.

    Args:
        differences: all pairs of one comparison.
        margin: largest difference that does not matter, in the metric's own unit, above 0.
    """
    corrected = holm([difference.p_value for difference in differences])
    equivalent = [
        None if margin is None or difference.estimate is None else difference.estimate.p_equivalent(margin)
        for difference in differences
    ]
    num_open = sum(p_value is not None and p_value > ALPHA for p_value in corrected)
    return [
        _with_power(difference._replace(p_corrected=p_value, p_equivalent=same), ALPHA / max(num_open, 1))
        for difference, p_value, same in zip(differences, corrected, holm(equivalent), strict=True)
    ]


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """P values corrected for their number, in the same order; None stays and does not count."""
    from statsmodels.stats.multitest import multipletests

    there = [p_value for p_value in p_values if p_value is not None]
    corrected = iter(multipletests(there, method="holm")[1] if there else ())
    return [None if p_value is None else float(next(corrected)) for p_value in p_values]


def _with_power(difference: Difference, alpha: float) -> Difference:
    deviation = difference.deviation
    if deviation is None:
        return difference
    design, nums = difference.design, (difference.num_a, difference.num_b)
    settled = difference.different or difference.equivalent
    return difference._replace(
        smallest_effect=deviation * smallest_effect(design, *nums, alpha),
        num_seeds=None if settled else num_seeds(difference.mean / deviation, design, alpha),
    )
