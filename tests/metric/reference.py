"""Every metric once more, from NumPy and scikit-learn alone."""

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn import metrics as sk

from seedbed.shapes import Labels, LogProbabilities

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def example_set(
    num_examples: int, num_classes: int, dtype: torch.dtype = torch.float64, seed: int = 0
) -> tuple[LogProbabilities, Labels]:
    """Random log-probabilities, coarse enough to tie, and labels."""
    generator = torch.Generator().manual_seed(1000 * num_examples + num_classes + seed)
    logits = torch.randn(num_examples, num_classes, generator=generator, dtype=dtype).mul(4).round().div(2)
    labels = torch.randint(num_classes, (num_examples,), generator=generator)
    return logits.log_softmax(dim=1), labels


def reference(log_probabilities: LogProbabilities, labels: Labels) -> dict[str, float]:
    log_p, y = log_probabilities.double().numpy(), labels.numpy()
    p, classes = np.exp(log_p), np.arange(log_p.shape[1])
    values = {
        "loss": -np.mean([row[label] for row, label in zip(log_p, y, strict=True)]),
        "accuracy": sk.accuracy_score(y, p.argmax(axis=1)),
        "macro_f1_score": sk.f1_score(y, p.argmax(axis=1), average="macro", zero_division=0),
        "auroc_score": auroc(log_p, y),
        "brier_loss": float(((p - np.eye(len(classes))[y]) ** 2).sum(axis=1).mean()),
        "calibration_error": calibration_error(p, y),
    }
    if len(classes) == 2:
        shares = np.bincount(y, minlength=2) / len(y)
        entropy = float(-sum(share * np.log(share) for share in shares if share))
        values["normalised_loss"] = values["loss"] / entropy if entropy else float("nan")
    if len(classes) > 5:
        best = np.argsort(-p, axis=1, kind="stable")[:, :5]
        values["top5_accuracy"] = float((best == y[:, None]).any(axis=1).mean())
    return {name: float(value) for name, value in values.items()}


def auroc(scores: Floats, y: Ints) -> float:
    sides = [(y == k, scores[:, k]) for k in range(scores.shape[1])]
    areas = [sk.roc_auc_score(truth, score) for truth, score in sides if 0 < truth.sum() < len(y)]
    return float(np.mean(areas)) if areas else float("nan")


def calibration_error(p: Floats, y: Ints, num_bins: int = 15) -> float:
    confidence, hit = p.max(axis=1), p.argmax(axis=1) == y
    total = 0.0
    for m in range(1, num_bins + 1):
        inside = ((m - 1) / num_bins < confidence) & (confidence <= m / num_bins)
        if inside.any():
            total += inside.mean() * abs(hit[inside].mean() - confidence[inside].mean())
    return total
