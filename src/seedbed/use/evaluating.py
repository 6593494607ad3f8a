"""What a recorded model says of a split: logits and metrics, with the model's own preprocessing."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from jaxtyping import Int64
from torch import Tensor

from seedbed.data.module import DataModule
from seedbed.data.rows import chunk_size
from seedbed.errors import ConfigError, DataError
from seedbed.metric.collection import Metrics
from seedbed.predictor import Predictor
from seedbed.shapes import Indices, Labels, Logits
from seedbed.use.trained import Trained


class Evaluation(NamedTuple):
    """What a model said of every example of a split.

    Args:
        logits: of each example, in file order.
        labels: true classes.
        indices: each example's place in its source file.
        metrics: all that `metric` has, without the split's name.
        confusion: counts, row the true class, column the predicted one.
    """

    logits: Logits
    labels: Labels
    indices: Indices
    metrics: dict[str, float]
    confusion: Int64[Tensor, "class class"]


def evaluated(predictor: Predictor, data: DataModule, split: str) -> Evaluation:
    """Reads a split once.

    Args:
        predictor: the model, with its own preprocessing; that of the data is not looked at.
        data: set up without features.
        split: one of its splits.
    """
    metrics = Metrics(len(predictor.class_names))
    parts: list[tuple[Tensor, ...]] = []
    # As many at once as at the end of training, or the last digits would be others.
    for raw, labels, indices in data.raw_batches(split, chunk_size(predictor.network.input_shape)):
        logits = predictor.logits(raw)
        metrics.update(predictor.network.likelihood.log_probabilities(logits), labels)
        parts.append((logits, labels, indices))
    logits, labels, indices = (torch.cat(part) for part in zip(*parts, strict=True))
    return Evaluation(logits, labels, indices, metrics.compute(), metrics.confusion())


def check_fits(model: Trained, data: DataModule, split: str) -> None:
    """Refuses data that the model cannot be asked about; nothing of the split is read for it.

    Args:
        model: whose classes, shape, columns and scale count.
        data: set up.
        split: that is wanted.

    Raises:
        ConfigError: for a split that is not there.
        DataError: for other classes, or inputs that mean something else.
    """
    if split not in data.splits:
        raise ConfigError(
            f"--split {split}",
            expected="one of " + ", ".join(data.splits),
            got=f"{data.source} without such a split",
            do="Choose another split or other data.",
        )
    own = model.predictor
    raw_shape = tuple(data.raw_examples(1).shape[1:])
    for what, expected, got in (
        ("classes", own.class_names, data.facts.class_names),
        ("input shape", own.raw_shape, raw_shape),
        ("columns", own.column_names, data.column_names),
        ("full scale", model.full_scale, float(data.preprocessing.scale.max())),
    ):
        if expected != got:
            raise _unfit(f"{data.source}, {what}", _short(expected), _short(got))


def _short(value: Any) -> str:
    """A value in a message; of many names the first."""
    if isinstance(value, Sequence) and len(value) > 10:
        return f"{', '.join(map(str, value[:10]))}, ... ({len(value)})"
    return ", ".join(map(str, value)) if isinstance(value, Sequence) else f"{value:g}"


def _unfit(what: str, expected: str, got: str) -> DataError:
    return DataError(
        what,
        expected=f"those of the run, {expected}",
        got=got or "none",
        do="Choose data of the same kind, or train a model on this one.",
    )
