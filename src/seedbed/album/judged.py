"""What a run got right and wrong on the split it was judged on."""

import numpy as np
import torch
from jaxtyping import Float
from statsmodels.stats.proportion import proportion_confint

from seedbed.album.evaluated import Evaluated, evaluated, model_of
from seedbed.metric.calibration import NUM_BINS, CalibrationError
from seedbed.picture import classes, confusion, gallery, reliability
from seedbed.picture.picture import Picture
from seedbed.predictor import Predictor
from seedbed.reproduce.check import Subject

ALPHA = 0.05
# More lines would be longer than a page.
MOST_CLASSES = 40


def confusion_matrix(subject: Subject) -> Picture | None:
    """Which class was taken for which."""
    found = evaluated(subject)
    return None if found is None else confusion.confusion(found.counts, found.names, found.split)


def reliability_diagram(subject: Subject) -> Picture | None:
    """Confidence against accuracy, in the bins of the metric `calibration_error`."""
    found = evaluated(subject)
    if found is None:
        return None
    metric = CalibrationError()
    metric.update(torch.from_numpy(found.log_probabilities), torch.from_numpy(found.labels))
    counts, confidences, hits = metric.sums.tolist()
    bins = [
        _bin(place, int(count), confidence, int(right))
        for place, (count, confidence, right) in enumerate(zip(counts, confidences, hits, strict=True))
    ]
    return reliability.reliability(bins, float(metric.compute()), found.split)


def _bin(place: int, count: int, confidences: float, hits: int) -> reliability.Bin:
    low, high = place / NUM_BINS, (place + 1) / NUM_BINS
    if not count:
        return reliability.Bin(low, high, 0, None, None, None, None)
    return reliability.Bin(low, high, count, confidences / count, hits / count, *wilson(hits, count))


def wilson(hits: int, count: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share of one example or more.

    Source: Wilson (1927), "Probable inference, the law of succession, and statistical inference".
    """
    low, high = proportion_confint(hits, count, alpha=ALPHA, method="wilson")
    return float(low), float(high)


def per_class(subject: Subject) -> Picture | None:
    """Recall and precision of each class."""
    found = evaluated(subject)
    if found is None:
        return None
    counts = found.counts
    hits, labelled, predicted = (
        part.tolist() for part in (counts.diagonal(), counts.sum(axis=1), counts.sum(axis=0))
    )
    shares = [
        classes.ClassShares(name, _share(right, of), _share(right, taken))
        for name, right, of, taken in zip(found.names, hits, labelled, predicted, strict=True)
    ]
    return classes.per_class(shares, found.split, _drawn(shares))


def _share(hits: int, count: int) -> classes.Share:
    if not count:
        return classes.Share(0, 0, None, None, None)
    return classes.Share(hits, count, hits / count, *wilson(hits, count))


def _drawn(shares: list[classes.ClassShares]) -> list[int] | None:
    """Of too many classes the places of those of lowest recall; None: all have room."""
    if len(shares) <= MOST_CLASSES:
        return None
    recalls = [1.0 if one.recall.value is None else one.recall.value for one in shares]
    return sorted(range(len(shares)), key=lambda place: recalls[place])[:MOST_CLASSES]


def worst_mistakes(subject: Subject) -> Picture | None:
    """Images that were taken for another class; None for a table, and for a run without mistakes."""
    every, model = evaluated(subject), model_of(subject.files)
    if every is None or model is None or f"{every.split}/worst.npz" not in subject.files:
        return None
    wrong = int((every.predicted != every.labels).sum())
    if not wrong or len(model.raw_shape) != 3:
        return None
    worst = evaluated(subject, "worst")
    assert worst is not None
    with np.load(subject.files[f"{every.split}/worst.npz"]) as kept:
        images = as_images(kept["inputs"], model)
    shown = _mistakes(worst, images)
    return gallery.gallery(shown, wrong, len(every.labels), every.split)


def as_images(inputs: Float[np.ndarray, "..."] | np.ndarray, model: Predictor) -> np.ndarray:
    """Raw inputs (channel, height, width) as eight bits a colour, (height, width) or (height, width, 3)."""
    scale = float(model.preprocessing.scale)
    eight = np.clip(np.rint(inputs * (255 / scale)), 0, 255).astype(np.uint8)
    return eight[:, 0] if eight.shape[1] == 1 else np.moveaxis(eight, 1, -1)


def _mistakes(worst: Evaluated, images: np.ndarray) -> list[gallery.Mistake]:
    """Those of the kept examples that were taken for another class, in the order in which they are kept."""
    chances, predicted = np.exp(worst.log_probabilities.astype(np.float64)), worst.predicted
    return [
        gallery.Mistake(
            int(worst.indices[place]),
            images[place],
            worst.names[label],
            worst.names[predicted[place]],
            float(chances[place, label]),
            float(chances[place, predicted[place]]),
        )
        for place, label in enumerate(worst.labels)
        if predicted[place] != label
    ]
