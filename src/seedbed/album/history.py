"""How a run came to be what it is: its metrics epoch by epoch."""

import math

from seedbed.album.evaluated import num_examples, profiles
from seedbed.metric.glossary import GLOSSARY
from seedbed.picture.picture import Picture
from seedbed.picture.run_curves import Metric, Series, run_curves
from seedbed.reproduce.check import Subject

METRICS = ("loss", "accuracy")
SPLITS = ("train", "val")


def learning_curves(subject: Subject) -> Picture | None:
    """Loss and accuracy of training and validation; None for a run that ended before its first epoch."""
    splits = [split for split in SPLITS if split in profiles(subject)]
    metrics = []
    for name in METRICS:
        series = [_series(subject, split, name) for split in splits]
        if any(one.steps for one in series):
            metrics.append(Metric(f"{name} ({GLOSSARY[name].unit})", name, series))
    if not metrics:
        return None
    best = subject.member.metrics.get("best_val/epoch")
    return run_curves(metrics, None if best is None else int(best))


def _series(subject: Subject, split: str, name: str) -> Series:
    """The finite values of a metric, epoch by epoch; of an epoch that was logged twice, the last."""
    metric = f"{split}/{name}"
    if metric not in subject.member.metrics:
        return Series(split, num_examples(subject, split), [], [])
    points = subject.store.client.get_metric_history(subject.member.run_id, metric)
    steps = {point.step: point.value for point in sorted(points, key=lambda point: point.timestamp)}
    found = [(step, value) for step, value in sorted(steps.items()) if math.isfinite(value)]
    return Series(
        split, num_examples(subject, split), [step for step, _ in found], [value for _, value in found]
    )
