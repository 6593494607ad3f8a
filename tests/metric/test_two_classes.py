"""Interval of the area and calibration by parts, against pairs counted one by one and statsmodels."""

import csv
import io
import json
import math

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from seedbed.metric.two_classes import area_interval, calibration, files, wilson

# The same few thousand float64 terms in another order.
ROUNDING = 1e-12


def examples(count: int, seed: int = 0, levels: int = 20) -> tuple[np.ndarray, np.ndarray]:
    """Calibrated probabilities, coarse enough to tie, and labels drawn from them."""
    generator = np.random.default_rng(seed)
    probabilities = generator.integers(1, levels, count) / levels
    return probabilities, (generator.random(count) < probabilities).astype(np.int64)


def test_the_variance_is_delongs_over_all_pairs() -> None:
    p, y = examples(300)
    own, others = p[y == 1], p[y == 0]
    pairs = (own[:, None] > others) + 0.5 * (own[:, None] == others)
    area = pairs.mean()
    variance = pairs.mean(1).var(ddof=1) / len(own) + pairs.mean(0).var(ddof=1) / len(others)
    found = area_interval(p, y)
    assert found.value == pytest.approx(area, rel=ROUNDING)
    ends = [math.log(end / (1 - end)) for end in found[1:]]
    assert sum(ends) / 2 == pytest.approx(math.log(area / (1 - area)), rel=ROUNDING)
    reach = 1.959963984540054 * math.sqrt(variance) / (area * (1 - area))
    assert (ends[1] - ends[0]) / 2 == pytest.approx(reach, rel=ROUNDING)


def test_the_interval_covers_the_area_about_19_times_in_20() -> None:
    truth = area_interval(*examples(200_000, seed=1)).value
    found = [area_interval(*examples(200, seed)) for seed in range(2, 402)]
    share = np.mean([one.low <= truth <= one.high for one in found])
    assert 0.92 < share < 0.98  # 400 draws of 0.95: three standard errors are 0.03


@pytest.mark.parametrize("labels", [[0, 0, 0], [1, 1, 1]])
def test_one_class_has_no_area(labels: list[int]) -> None:
    assert all(map(math.isnan, area_interval(np.array([0.1, 0.2, 0.3]), np.array(labels))))


def test_a_perfect_order_has_an_area_without_an_interval() -> None:
    found = area_interval(np.array([0.1, 0.2, 0.8, 0.9]), np.array([0, 0, 1, 1]))
    assert found.value == 1
    assert math.isnan(found.low)
    assert math.isnan(found.high)


@pytest.mark.parametrize(("successes", "trials"), [(0, 10), (10, 10), (3, 7), (120, 1000)])
def test_wilsons_interval_is_that_of_statsmodels(successes: int, trials: int) -> None:
    expected = proportion_confint(successes, trials, method="wilson")
    assert wilson(successes, trials) == pytest.approx(expected, abs=ROUNDING)


def test_parts_hold_every_example_once_from_least_to_most_probable() -> None:
    p, y = examples(1003)
    whole, *parts = calibration(p, y)
    assert whole.part == "all"
    assert (whole.examples, whole.positives) == (1003, y.sum())
    assert [part.part for part in parts] == [str(number) for number in range(1, 11)]
    assert {part.examples for part in parts} == {100, 101}
    assert sum(part.positives for part in parts) == y.sum()
    means = [part.mean_probability for part in parts]
    assert means == sorted(means)


def test_twice_the_truth_has_a_ratio_of_two() -> None:
    p, y = examples(100_000)
    whole = calibration(p, y)[0]
    assert whole.ratio_low < 1 < whole.ratio_high
    doubled = calibration(2 * p, y)[0]
    assert doubled.ratio == pytest.approx(2 * whole.ratio, rel=ROUNDING)
    assert doubled.ratio_low > 1.9


def test_where_nothing_was_observed_the_ratio_is_infinite() -> None:
    whole = calibration(np.full(50, 0.1), np.zeros(50, dtype=np.int64))[0]
    assert whole.ratio == whole.ratio_high == math.inf
    assert whole.ratio_low > 0


def test_the_files_say_the_same() -> None:
    p, y = examples(500)
    told = files(p, y)
    rows = list(csv.DictReader(io.StringIO(told["calibration.csv"])))
    assert float(rows[0]["ratio"]) == calibration(p, y)[0].ratio
    assert len(rows) == 11
    area = json.loads(told["auroc.json"])
    assert (area["auroc_score"], area["low"], area["high"]) == area_interval(p, y)
    assert area["positives"] + area["negatives"] == 500
