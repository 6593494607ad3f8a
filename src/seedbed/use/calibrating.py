"""A run's temperature, fitted on its validation split, and what it does to probabilities."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from seedbed.errors import ConfigError
from seedbed.metric.calibration import NUM_BINS
from seedbed.metric.collection import Metrics
from seedbed.model.likelihood import Likelihood
from seedbed.shapes import Labels, Logits, LogProbabilities
from seedbed.track.manifest import seal
from seedbed.track.record import Record
from seedbed.use.elsewhere import chosen
from seedbed.use.evaluating import evaluated
from seedbed.use.origin import check_same
from seedbed.use.temperature import Temperature, fitted
from seedbed.use.trained import TEMPERATURE, Trained

FOLDER, RELIABILITY = "calibration", "reliability.csv"
STORED = {split: f"{split}/predictions.npz" for split in ("val", "test")}
NAMES = ("loss", "calibration_error", "brier_loss")
COLUMNS = (
    *("split", "temperature", "bin_low", "bin_high", "num_examples"),
    *("mean_confidence", "accuracy"),
)


class Said(NamedTuple):
    """Logits of a split with its labels, and where they come from."""

    logits: Logits
    labels: Labels
    source: str


class Calibrated(NamedTuple):
    """What was found.

    Args:
        temperature: fitted on validation.
        metrics: split to before and after to metric; of the test split where it was read earlier.
        sources: split to where its logits come from.
        num_examples: of each split.
    """

    temperature: Temperature
    metrics: dict[str, dict[str, dict[str, float]]]
    sources: dict[str, str]
    num_examples: dict[str, int]


def calibrate(model: Trained) -> Calibrated:
    """Fits a temperature and keeps it with the run, as artifacts `calibration/`.

    The test split is not read: where the run has read it, its stored logits are looked at.

    Args:
        model: of the run.

    Raises:
        ConfigError: for a run without a validation split.
        DataError: where no temperature is best, or the validation split is neither stored nor at hand.
    """
    likelihood = model.predictor.network.likelihood
    said = {"val": _validation(model)}
    if STORED["test"] in model.subject.files:
        said["test"] = _stored(model, "test")
    temperature = fitted(likelihood, said["val"].logits, said["val"].labels)
    both = {"before": 1.0, "after": temperature.value}
    metrics = {
        split: {when: _scores(likelihood, part, value) for when, value in both.items()}
        for split, part in said.items()
    }
    sources = {split: part.source for split, part in said.items()}
    found = Calibrated(temperature, metrics, sources, {name: len(part.labels) for name, part in said.items()})
    rows = [
        row
        for split, part in said.items()
        for value in both.values()
        for row in _bins(split, value, likelihood, part)
    ]
    _keep(model, found, rows)
    return found


def _validation(model: Trained) -> Said:
    """The stored logits of the validation split; else the model is asked again, on the same data."""
    if STORED["val"] in model.subject.files:
        return _stored(model, "val")
    data = chosen(model.subject).module
    if "val" not in data.splits:
        raise ConfigError(
            f"run {model.name} ({model.run_id})",
            expected="a run with a validation split, which the temperature is fitted on",
            got="data.val_fraction=0",
            do="Train it with some of the examples held out.",
        )
    check_same(model, data)
    result = evaluated(model.predictor, data, "val")
    return Said(result.logits, result.labels, "evaluated now")


def _stored(model: Trained, split: str) -> Said:
    with np.load(model.subject.files[STORED[split]], allow_pickle=False) as kept:
        logits, labels = (torch.from_numpy(kept[name]) for name in ("logits", "labels"))
    return Said(logits, labels, STORED[split])


def _scores(likelihood: Likelihood, said: Said, temperature: float) -> dict[str, float]:
    told = _told(likelihood, said, temperature)
    metrics = Metrics(told.shape[1], names=NAMES)
    metrics.update(told, said.labels)
    return metrics.compute()


def _told(likelihood: Likelihood, said: Said, temperature: float) -> LogProbabilities:
    return likelihood.log_probabilities(said.logits.double() / temperature)


def _bins(split: str, temperature: float, likelihood: Likelihood, said: Said) -> Iterator[list[Any]]:
    """A row for each bin of confidence that holds an example, as the calibration error has them."""
    best, predicted = _told(likelihood, said, temperature).max(dim=1)
    confidence, right = best.exp(), (predicted == said.labels).double()
    inner = torch.arange(1, NUM_BINS, dtype=torch.float64) / NUM_BINS
    places = torch.bucketize(confidence, inner)
    for place in range(NUM_BINS):
        inside: Tensor = places == place
        if inside.any():
            ends = [place / NUM_BINS, (place + 1) / NUM_BINS]
            means = [float(part[inside].mean()) for part in (confidence, right)]
            yield [split, temperature, *ends, int(inside.sum()), *means]


def _keep(model: Trained, found: Calibrated, rows: list[list[Any]]) -> None:
    temperature = found.temperature
    told = {
        "temperature": temperature.value,
        "standard_error": temperature.standard_error,
        "fitted_on": "val",
        "num_examples": found.num_examples,
        "logits": found.sources,
        "metrics": found.metrics,
    }
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([COLUMNS, *rows])
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / Path(TEMPERATURE).name).write_text(json.dumps(told, indent=2) + "\n")
        (folder / RELIABILITY).write_text(out.getvalue())
        record = Record(model.subject.store, model.run_id)
        record.log_folder(folder, FOLDER)
        seal(record, FOLDER)


def in_words(name: str, found: Calibrated) -> str:
    """The temperature, and what it does to each split, a line each.

    Args:
        name: of the run.
        found: its calibration.
    """
    value, error, number = found.temperature
    sure = "too sure" if value > 1 else "not sure enough"
    lines = [
        f"{name}: temperature {value:.4f} (standard error {error:.4f}, n = {number} validation examples): "
        f"the model was {sure}."
    ]
    for split, both in found.metrics.items():
        moved = (f"{metric} {both['before'][metric]:.4f} -> {both['after'][metric]:.4f}" for metric in NAMES)
        note = "in sample, it was fitted here" if split == "val" else "stored logits, no new read"
        lines.append(f"  {split} (n = {found.num_examples[split]}, {note}): {', '.join(moved)}")
    if "test" not in found.metrics:
        lines.append("  The run has not read its test split, so nothing is said of new data.")
    return "\n".join(lines)
