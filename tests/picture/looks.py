"""One drawing of every kind that shows what a network looks at, from made-up numbers."""

from collections.abc import Callable, Sequence

import numpy as np

from seedbed.picture.embedding import Points, embedding
from seedbed.picture.filters import Filters, filters
from seedbed.picture.maps import Kind, Shown, maps
from seedbed.picture.path import Stop, penalty_path
from seedbed.picture.picture import Picture


def weights(count: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(count, *shape))


def shown(labels: Sequence[str], count: int = 6) -> list[Shown]:
    generator = np.random.default_rng(1)
    made = []
    for place in range(count):
        true, predicted = (labels[(place + step) % len(labels)] for step in (0, 1))
        known = place < count - 2
        made.append(
            Shown(
                f"test {place + 10_000}" if known else "learnt from",
                generator.random((1 if place % 2 else 3, 28, 28)),
                generator.normal(size=(7, 7)),
                true if known else None,
                predicted,
                1.23e-12 if known else None,
                0.987,
            )
        )
    return made


def points(labels: Sequence[str], count: int = 60) -> Points:
    places = np.random.default_rng(2).normal(size=(count, 2))
    classes = np.arange(count) % len(labels)
    predictions = np.where(np.arange(count) % 7 == 0, (classes + 1) % len(labels), classes)
    axes = ("component 1 (40.0% of the variance)", "component 2 (20.0% of the variance)")
    return Points(places, classes, predictions, np.arange(count), labels, axes)


def stops(num_classes: int, num_stops: int = 6) -> list[Stop]:
    return [
        Stop(
            10.0**-place,
            weights(num_classes, 8, 8) * 10**place,
            {"test/accuracy": [0.9, 0.91], "test/loss": [0.3, 0.31]},
        )
        for place in range(1, num_stops + 1)
    ]


UNITS = {"test/accuracy": "share", "test/loss": "nats"}
KIND = Kind("integrated_gradients", "Integrated gradients", "attribution (logits)", "logits", signed=True)
TRAINED = "The weights of the first layer."

LOOKS: dict[str, Callable[[Sequence[str]], Picture]] = {
    "filters": lambda _: filters(Filters(weights(64, 1, 8, 8), 256, "units", TRAINED)),
    "gradcam": lambda labels: maps(
        Kind("gradcam", "Grad-CAM", "Grad-CAM", "", signed=False), shown(labels), "How to read it."
    ),
    "occlusion": lambda labels: maps(
        Kind("occlusion", "Occlusion", "fall of the logit", "logits", signed=True),
        shown(labels),
        "How to read it.",
    ),
    "integrated_gradients": lambda labels: maps(KIND, shown(labels), "How to read it."),
    "embedding": lambda labels: embedding("embedding", "Embedding", points(labels), "How to read it."),
    "embedding_umap": lambda labels: embedding(
        "embedding_umap",
        "Embedding by UMAP",
        points(labels)._replace(
            axis_labels=("first coordinate (arbitrary unit)", "second coordinate (arbitrary unit)")
        ),
        "How to read it.",
    ),
    "penalty_path": lambda labels: penalty_path(stops(len(labels)), labels, UNITS, "of seed 0"),
}
