"""What a rank of a test group does with a job: fits and evaluates it as a run does, off the record."""

import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytorch_lightning as pl
from pytorch_lightning.callbacks import Checkpoint

from seedbed import growing
from seedbed.assembly import assemble
from seedbed.classifier import Classifier
from seedbed.job import Job
from seedbed.seat import Seat
from seedbed.stopping import Stopping


class Fit(NamedTuple):
    """What can be compared between numbers of processes; arrays, for a tensor dies with its process."""

    weights: dict[str, np.ndarray]
    epochs: list[dict[str, float]]
    test: dict[str, float]
    confusion: np.ndarray


class Epochs(Checkpoint):
    """Keeps each epoch's metrics; of the kind that Lightning calls last."""

    def __init__(self) -> None:
        self.metrics: list[dict[str, float]] = []

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:  # noqa: ARG002
        assert isinstance(pl_module, Classifier)
        self.metrics.append(dict(pl_module.epoch_metrics))


def fits(seat: Seat, jobs: dict[str, Job], folder: Path) -> dict[str, Fit]:
    """Every job, one after the other."""
    return {name: fit(seat, job, folder) for name, job in jobs.items()}


def fit(seat: Seat, job: Job, folder: Path) -> Fit:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"`isinstance\(treespec, LeafSpec\)` is deprecated")
        assembly, epochs = assemble(job.config, seat), Epochs()
        trainer = growing._trainer(growing.Plot(job, seat, folder, None, Stopping()), [epochs], assembly)
        classifier = assembly.classifier
        trainer.fit(classifier, assembly.data.train_dataloader(), assembly.data.val_dataloader())
        trainer.test(classifier, assembly.data.test_dataloader(), verbose=False)
    return Fit(
        {name: value.numpy() for name, value in classifier.network.state_dict().items()},
        epochs.metrics,
        classifier.test_metrics.compute(),
        classifier.test_metrics.confusion().numpy(),
    )
