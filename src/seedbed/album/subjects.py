"""What a run keeps for its pictures, opened: the fitted model, and examples with their classes."""

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from seedbed.album.evaluated import SPLITS
from seedbed.predictor import EXAMPLE, Predictor
from seedbed.reproduce.check import Subject
from seedbed.shapes import Inputs, Logits


class Examples(NamedTuple):
    """Some examples of a run, and what its model makes of them.

    Args:
        places: which each is, such as "test 815".
        images: (example, channel, row, column) in [0, 1], for the eye.
        inputs: as the network sees them.
        baseline: a black image as the network sees it, one example.
        labels: class of each; None where that is not kept.
        logits: of the network.
        probabilities: (example, class).
    """

    places: list[str]
    images: NDArray[np.floating[Any]]
    inputs: Inputs
    baseline: Inputs
    labels: list[int | None]
    logits: Logits
    probabilities: NDArray[np.floating[Any]]


def split_file(subject: Subject, name: str) -> tuple[str, dict[str, NDArray[Any]]] | None:
    """The arrays of `test/NAME`, else of `val/NAME`, with the split; None where there is neither."""
    for split in SPLITS:
        if f"{split}/{name}" in subject.files:
            with np.load(subject.files[f"{split}/{name}"]) as arrays:
                return split, dict(arrays)
    return None


def examples_of(subject: Subject, model: Predictor, most: int) -> Examples | None:
    """Examples that the run has kept: of those with the least p(true), evenly spaced, and two it learnt from.

    The second kind stands for the many that are not mistaken. None of a run that kept no images.

    Args:
        subject: the run.
        model: its own.
        most: examples, 3 or more.
    """
    found = split_file(subject, "worst.npz")
    (path,) = (path for name, path in subject.files.items() if name.endswith(f"/{EXAMPLE}"))
    learnt = np.load(path)
    if found is None or learnt.ndim != 4:
        return None
    split, arrays = found
    count = min(most - len(learnt), len(arrays["labels"]))
    chosen = np.unique(np.linspace(0, len(arrays["labels"]) - 1, count).round().astype(int))
    raw = torch.from_numpy(np.concatenate([arrays["inputs"][chosen], learnt]))
    places = [f"{split} {index}" for index in arrays["indices"][chosen]] + ["learnt from"] * len(learnt)
    labels = [int(label) for label in arrays["labels"][chosen]] + [None] * len(learnt)
    return _seen(model, raw, places, labels)


def _seen(model: Predictor, raw: torch.Tensor, places: list[str], labels: list[int | None]) -> Examples:
    dtype = next(model.network.parameters()).dtype
    inputs = model.preprocessing(raw).to(dtype)
    with torch.no_grad():
        logits = model.network(inputs)
        probabilities = model.network.likelihood.log_probabilities(logits).exp()
    return Examples(
        places,
        (raw / model.preprocessing.scale).clamp(0, 1).double().numpy(),
        inputs,
        model.preprocessing(torch.zeros_like(raw[:1])).to(dtype),
        labels,
        logits,
        probabilities.double().numpy(),
    )
