"""What a run said of the split it was judged on, read back from its record."""

import csv
import importlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int64

from seedbed.model.likelihood import Likelihood
from seedbed.predictor import NETWORKS, Predictor
from seedbed.reproduce.check import Subject

SPLITS = ("test", "val")
# The predictor's folder inside a run's MLflow model.
MODEL = "model/data/predictor.json"


class Evaluated(NamedTuple):
    """One split, as the best weights see it.

    Args:
        split: `test`, or `val` where the test split is unread.
        names: of the classes.
        log_probabilities: of each class, in the logits' own type: the numbers that the metrics saw.
        labels: true classes.
        indices: places in the data's file.
    """

    split: str
    names: tuple[str, ...]
    log_probabilities: Float[np.ndarray, "example class"]
    labels: Int64[np.ndarray, " example"]
    indices: Int64[np.ndarray, " example"]

    @property
    def predicted(self) -> Int64[np.ndarray, " example"]:
        """The most probable class of each example."""
        predicted: Int64[np.ndarray, " example"] = self.log_probabilities.argmax(axis=1)
        return predicted

    @property
    def counts(self) -> Int64[np.ndarray, "class class"]:
        """Examples a (true class, predicted class)."""
        size = len(self.names)
        cells = np.bincount(self.labels * size + self.predicted, minlength=size**2)
        counts: Int64[np.ndarray, "class class"] = cells.reshape(size, size).astype(np.int64)
        return counts


def evaluated(subject: Subject, kind: str = "predictions") -> Evaluated | None:
    """The split that the run was judged on; None for a run that has kept none.

    Args:
        subject: the run.
        kind: `predictions`, of all examples, or `worst`, of those that were kept with their inputs.
    """
    split = split_of(subject)
    if split is None:
        return None
    with np.load(subject.files[f"{split}/{kind}.npz"]) as kept:
        logits, labels, indices = (kept[name] for name in ("logits", "labels", "indices"))
    log_probabilities = likelihood_of(subject).log_probabilities(torch.from_numpy(logits)).numpy()
    return Evaluated(split, class_names(subject), log_probabilities, labels, indices)


def split_of(subject: Subject) -> str | None:
    """The split whose predictions the run has kept: test before val; None: neither."""
    return next((split for split in SPLITS if f"{split}/predictions.npz" in subject.files), None)


def likelihood_of(subject: Subject) -> Likelihood:
    """What the run's network means by its logits."""
    target = str(subject.job.config["model"]["_target_"])
    module, _, name = target.rpartition(".")
    if not target.startswith(NETWORKS):
        raise ValueError(f"a network that is none of ours: {target}")
    found: Likelihood = getattr(importlib.import_module(module), name).likelihood
    return found


def class_names(subject: Subject) -> tuple[str, ...]:
    """From the fitted model, else from the confusion matrix; numbers where the run has kept neither."""
    if MODEL in subject.files:
        return tuple(json.loads(subject.files[MODEL].read_text())["class_names"])
    if "test/confusion.csv" in subject.files:
        head = next(csv.reader(subject.files["test/confusion.csv"].read_text().splitlines()))
        return tuple(head[1:])
    return tuple(map(str, range(len(next(iter(profiles(subject).values()))["class_counts"]))))


def profiles(subject: Subject) -> dict[str, Mapping[str, Any]]:
    """What the run said of each of its splits: number of examples, class counts, digests."""
    used = subject.run.inputs.dataset_inputs if subject.run.inputs else []
    told = [json.loads(one.dataset.profile) for one in used]
    return {profile["split"]: profile for profile in told}


def num_examples(subject: Subject, split: str) -> int:
    """Examples of a split."""
    return int(profiles(subject)[split]["num_examples"])


def model_of(files: Mapping[str, Path]) -> Predictor | None:
    """A run's fitted model; None where it kept none.

    Args:
        files: what the run keeps, by path.
    """
    return Predictor.load(files[MODEL].parent) if MODEL in files else None
