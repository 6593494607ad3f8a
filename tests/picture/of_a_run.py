"""One drawing of every kind that shows a single run, from made-up numbers; labels are names of classes."""

import math
from collections.abc import Callable, Sequence

import numpy as np

from seedbed.picture.classes import ClassShares, Share, per_class
from seedbed.picture.confusion import confusion
from seedbed.picture.gallery import Mistake, gallery
from seedbed.picture.odds import OddsRatio, odds_ratios
from seedbed.picture.picture import Picture
from seedbed.picture.plane import Field, Points, plane
from seedbed.picture.reliability import Bin, reliability
from seedbed.picture.run_curves import Metric, Series, run_curves
from seedbed.picture.templates import Template, templates

NUM_BINS = 15


def counts(num_classes: int) -> np.ndarray:
    """Mostly right; the last class has no example."""
    made = np.random.default_rng(0).integers(0, 3, (num_classes, num_classes)) + 20 * np.eye(
        num_classes, dtype=np.int64
    )
    made[-1] = 0
    return made


def bins() -> list[Bin]:
    made = []
    for place in range(NUM_BINS):
        low, high = place / NUM_BINS, (place + 1) / NUM_BINS
        if place < 3:
            made.append(Bin(low, high, 0, None, None, None, None))
        else:
            share = min(1.0, high + 0.05)
            made.append(Bin(low, high, 10 * place, (low + high) / 2, share, share - 0.1, min(1, share + 0.1)))
    return made


def class_shares(names: Sequence[str]) -> list[ClassShares]:
    made = [ClassShares(name, Share(8, 10, 0.8, 0.5, 0.94), Share(8, 9, 8 / 9, 0.57, 0.98)) for name in names]
    none = Share(0, 0, None, None, None)
    return [*made[:-1], ClassShares(names[-1], none, none)]


def mistakes(names: Sequence[str], number: int = 7) -> list[Mistake]:
    image = np.arange(64, dtype=np.uint8).reshape(8, 8) * 4
    pairs = [(names[place % len(names)], names[(place + 1) % len(names)]) for place in range(number)]
    return [Mistake(1000 + place, image, *pair, 0.01 * place, 0.9) for place, pair in enumerate(pairs)]


def field(num_classes: int) -> Field:
    places = np.linspace(-2, 2, 21)
    across, up = np.meshgrid(places, places)
    logits = np.stack([np.cos(turn) * across + np.sin(turn) * up for turn in _turns(num_classes)], axis=-1)
    chances = np.exp(3 * logits)
    return Field(("width", "height"), places, places, chances / chances.sum(axis=-1, keepdims=True))


def _turns(num_classes: int) -> list[float]:
    return [math.pi + 2 * math.pi * place / num_classes for place in range(num_classes)]


def points(num_classes: int) -> Points:
    inputs = np.random.default_rng(1).normal(size=(40, 2))
    return Points(inputs, np.arange(40) % num_classes)


METRICS = [
    Metric(
        f"{name} ({unit})",
        name,
        [
            Series("train", 1_150, [1, 2, 3], [0.9, 0.5, 0.4]),
            Series("val", 288, [1, 2, 3], [0.8, 0.6, 0.55]),
        ],
    )
    for name, unit in (("loss", "nats"), ("accuracy", "share"))
]
RATIOS = (OddsRatio("age", 1.14, 1.04, 1.25, 1.06, 1.28), OddsRatio("smoker", 0.5, 0.2, 1.3, 0.19, 1.2))


def weights(names: Sequence[str]) -> list[Template]:
    ramp = np.linspace(-1, 1, 64).reshape(8, 8)
    return [Template(name, ramp / (1 + place)) for place, name in enumerate(names)]


DRAW: dict[str, Callable[[Sequence[str]], Picture]] = {
    "run_curves": lambda _: run_curves(METRICS, 3),
    "confusion": lambda labels: confusion(counts(len(labels)), labels, "test"),
    "reliability": lambda _: reliability(bins(), 0.0512, "test"),
    "per_class": lambda labels: per_class(class_shares(labels), "test"),
    "gallery": lambda labels: gallery(mistakes(labels), 31, 359, "test"),
    "templates": lambda labels: templates(weights(labels), "logit for a pixel", 1_150),
    "odds_ratios": lambda labels: odds_ratios(
        [RATIOS[0]._replace(name=name) for name in labels], labels[0], 33
    ),
    "plane": lambda labels: plane(field(len(labels)), points(len(labels)), labels, "test"),
}
