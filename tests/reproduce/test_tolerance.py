"""Every metric has a tolerance in its own measure, and two values are as far apart as that measure says."""

import math

import pytest

from seedbed.metric.glossary import GLOSSARY
from seedbed.reproduce.tolerance import ABSOLUTE, CALIBRATION, RELATIVE, Deviation, tolerance

SHARES = ("accuracy", "top5_accuracy", "macro_f1_score", "auroc_score")
LOSSES = ("loss", "normalised_loss", "brier_loss")


@pytest.mark.parametrize("split", ["train", "val", "best_val", "test"])
def test_a_metric_is_judged_alike_on_every_split(split: str) -> None:
    expected = (
        dict.fromkeys(SHARES, (ABSOLUTE, False))
        | dict.fromkeys(LOSSES, (RELATIVE, True))
        | {"calibration_error": (CALIBRATION, False)}
    )
    assert {name: tuple(tolerance(f"{split}/{name}")) for name in GLOSSARY} == expected


@pytest.mark.parametrize(
    ("metric", "first", "second", "share"),
    [
        ("val/loss", 1.0, 1.0, 0.0),
        ("val/loss", 0.98, 1.0, 1.0),
        ("val/loss", 98.0, 100.0, 1.0),
        ("test/accuracy", 0.5, 0.51, 1.0),
        ("best_val/epoch", 3.0, 4.0, 1.0),
        ("train/learning_rate", 0.1, 0.1, 0.0),
        ("train/learning_rate", 0.1, math.nextafter(0.1, 1), math.inf),
        ("val/loss", math.nan, math.nan, 0.0),
        ("val/loss", math.inf, math.inf, 0.0),
        ("val/loss", math.inf, 1.0, math.inf),
        ("val/loss", math.nan, 1.0, math.inf),
        ("val/loss", None, 1.0, math.inf),
    ],
)
def test_how_far_apart_two_values_are(
    metric: str, first: float | None, second: float | None, share: float
) -> None:
    assert Deviation(metric, 1, first, second).share == pytest.approx(share)
    assert Deviation(metric, 1, second, first).share == pytest.approx(share)


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("val/loss", "val/loss of epoch 2, 0.5 against 0.52: 3.8 %, tolerance 2 %"),
        ("val/accuracy", "val/accuracy of epoch 2, 0.5 against 0.52: 2.00 points, tolerance 1.00 points"),
        ("val/calibration_error", "val/calibration_error of epoch 2, 0.5 against 0.52: 0.02, tolerance 0.02"),
    ],
)
def test_a_deviation_is_told_in_the_words_of_its_metric(metric: str, expected: str) -> None:
    assert Deviation(metric, 2, 0.5, 0.52).told() == expected
