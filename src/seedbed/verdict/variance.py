"""Where the variance of a metric comes from: one random stream at a time against all together."""

from collections.abc import Mapping
from typing import NamedTuple

from scipy import stats

from seedbed.verdict.statistics import CONFIDENCE, Sample, Values, spread

TAILS = ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2)


class Share(NamedTuple):
    """What one stream contributes.

    Args:
        stream: init, order, split, ...
        n: runs in which only this stream's seed differed.
        deviation: standard deviation over them, in the metric's unit.
        low: lower end of its 95 % interval.
        high: its upper end.
        share: its variance over the variance of all streams together; shares add up to 1 only where the
            streams do not interact, and to within their intervals.
        share_low: lower end of the share's 95 % interval.
        share_high: its upper end.
    """

    stream: str
    n: int
    deviation: float
    low: float
    high: float
    share: float
    share_low: float
    share_high: float


def variance_shares(groups: Mapping[str, Sample], total: Sample) -> list[Share]:
    """The share of each stream in the variance of a metric.

    The intervals take the values for normal and the groups for independent: chi-square for a standard
    deviation, F for a ratio of two variances.

    Args:
        groups: stream to the metric's values, two or more, of runs in which only this stream's seed varied.
        total: the values of two or more runs in which all streams varied; they must differ.

    Returns:
        The shares, largest first.

    Source: Bouthillier et al. 2021, section 2.2; the intervals as in Snedecor and Cochran.
    """
    shares = [_share(stream, values, total) for stream, values in groups.items()]
    return sorted(shares, key=lambda share: -share.share)


def _share(stream: str, values: Values, total: Sample) -> Share:
    freedom, freedom_total = len(values) - 1, len(total) - 1
    deviation = spread(values)
    share = (deviation / spread(total)) ** 2
    low, high = (deviation * float(freedom / stats.chi2.ppf(tail, freedom)) ** 0.5 for tail in TAILS[::-1])
    least, most = (share / float(stats.f.ppf(tail, freedom, freedom_total)) for tail in TAILS[::-1])
    return Share(stream, len(values), deviation, low, high, share, least, most)
