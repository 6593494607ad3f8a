"""What two classes allow beyond the metrics: the area's interval, and calibration part by part.

What enters are the probabilities of class 1 and the labels of a whole split; what leaves are small tables.
"""

import csv
import io
import json
import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NUM_PARTS = 10
# The two-sided 95 % point of the normal distribution.
Z = 1.959963984540054


class Interval(NamedTuple):
    """A value with the ends of its 95 % interval."""

    value: float
    low: float
    high: float


class Calibration(NamedTuple):
    """Examples whose probabilities are near each other, or all of them.

    Args:
        part: all, or 1 (least probable) to 10.
        examples: how many they are.
        positives: those of class 1.
        mean_probability: of class 1, as predicted.
        observed_share: of class 1.
        ratio: predicted over observed, 1 where calibrated, infinite where nothing was observed.
        ratio_low: lower end of its 95 % interval, from Wilson's of the observed share.
        ratio_high: upper end.
    """

    part: str
    examples: int
    positives: int
    mean_probability: float
    observed_share: float
    ratio: float
    ratio_low: float
    ratio_high: float


def area_interval(probabilities: Floats, labels: Ints) -> Interval:
    """Area under the ROC curve, by DeLong's variance, the interval made on the log odds of the area.

    Args:
        probabilities: of class 1, or any increasing function of them.
        labels: 0 or 1.

    Returns:
        NaN in all three where a class has no example; no interval (NaN) for an area of 0 or 1, or one
        example of a class.

    Source: DeLong, DeLong and Clarke-Pearson (1988), "Comparing the areas under two or more correlated
    receiver operating characteristic curves"; X. Sun and W. Xu (2014) for the ranks.
    """
    own, others = probabilities[labels == 1], probabilities[labels == 0]
    if not len(own) or not len(others):
        return Interval(math.nan, math.nan, math.nan)
    # For each example the share of the other class that it beats, ties half.
    wins, losses = _beaten(own, others), 1 - _beaten(others, own)
    area = float(wins.mean())
    if min(len(own), len(others)) < 2 or not 0 < area < 1:
        return Interval(area, math.nan, math.nan)
    variance = wins.var(ddof=1) / len(own) + losses.var(ddof=1) / len(others)
    centre, reach = math.log(area / (1 - area)), Z * math.sqrt(variance) / (area * (1 - area))
    low, high = (1 / (1 + math.exp(-end)) for end in (centre - reach, centre + reach))
    return Interval(area, low, high)


def _beaten(own: Floats, others: Floats) -> Floats:
    ordered = np.sort(others)
    below, not_above = (np.searchsorted(ordered, own, side=side) for side in ("left", "right"))
    return (below + not_above) / (2 * len(others))


def calibration(probabilities: Floats, labels: Ints) -> list[Calibration]:
    """Predicted against observed, over all examples and in ten parts from least to most probable.

    The parts are of equal size, but for an example.

    Source: McMahan et al. (2013), "Ad click prediction: a view from the trenches", section 7.
    """
    order = np.argsort(probabilities, kind="stable")
    parts = [part for part in np.array_split(order, NUM_PARTS) if len(part)]
    named = [("all", order), *((str(number), part) for number, part in enumerate(parts, 1))]
    return [_calibrated(name, probabilities[part], labels[part]) for name, part in named]


def _calibrated(name: str, probabilities: Floats, labels: Ints) -> Calibration:
    count, positives = len(labels), int(labels.sum())
    mean, share = float(probabilities.mean()), positives / len(labels)
    low, high = wilson(positives, count)
    ratios = (mean / bound if bound else math.inf for bound in (share, high, low))
    return Calibration(name, count, positives, mean, share, *ratios)


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """Ends of the 95 % interval of a share.

    Source: Wilson (1927), "Probable inference, the law of succession, and statistical inference".

    Example:
        >>> wilson(0, 10)
        (0.0, 0.2775327998628892)
    """
    share, square = successes / trials, Z * Z / trials
    centre = share + square / 2
    reach = Z * math.sqrt(share * (1 - share) / trials + square / (4 * trials))
    # At the edges the formula gives 0 and 1, which rounding would miss.
    low = (centre - reach) / (1 + square) if successes else 0.0
    return low, (centre + reach) / (1 + square) if successes < trials else 1.0


def files(probabilities: Floats, labels: Ints) -> dict[str, str]:
    """Both as texts: `auroc.json` and `calibration.csv`, by name."""
    area = area_interval(probabilities, labels)
    told = {"auroc_score": area.value, "low": area.low, "high": area.high, "confidence": 0.95}
    counts = {"positives": int(labels.sum()), "negatives": int((labels == 0).sum())}
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(Calibration._fields)
    writer.writerows(calibration(probabilities, labels))
    json_text = json.dumps(told | counts | {"method": "DeLong, on the log odds of the area"}, indent=1)
    return {"auroc.json": json_text + "\n", "calibration.csv": out.getvalue()}
