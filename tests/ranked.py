"""What a rank of a test group does with a job: fits and evaluates it as a run does, off the record."""

import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytorch_lightning as pl
from pytorch_lightning.callbacks import Checkpoint

from seedbed import growing
from seedbed.assembly import assemble
from seedbed.checkpoint import LAST
from seedbed.classifier import Classifier
from seedbed.data.loader import Passes
from seedbed.job import Job
from seedbed.model.sharding import whole
from seedbed.saving import save
from seedbed.seat import Seat
from seedbed.stopping import Stopping


class Fit(NamedTuple):
    """What can be compared between numbers of processes; arrays, for a tensor dies with its process."""

    weights: dict[str, np.ndarray]
    epochs: list[dict[str, float]]
    test: dict[str, float]
    confusion: np.ndarray


class Epochs(Checkpoint):
    """Keeps each epoch's metrics, and the checkpoint after the first; Lightning calls such a one last."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.metrics: list[dict[str, float]] = []

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        assert isinstance(pl_module, Classifier)
        self.metrics.append(dict(pl_module.epoch_metrics))
        if trainer.current_epoch == 0:
            save(trainer, pl_module.seat, self.folder)


def fits(seat: Seat, jobs: dict[str, Job], root: Path) -> dict[str, Fit]:
    """Every job, one after the other, each in a folder of its name."""
    return {name: fit(seat, job, root / name) for name, job in jobs.items()}


def resumed(seat: Seat, jobs: dict[str, Job], root: Path, begun: Path) -> dict[str, Fit]:
    """Every job, from where the job of the same name stood after an epoch under another root."""
    return {name: fit(seat, job, root / name, begun / name / LAST) for name, job in jobs.items()}


def fit(seat: Seat, job: Job, folder: Path, start: Path | None = None) -> Fit:
    """Fits and evaluates one job.

    Args:
        seat: this process.
        job: what runs.
        folder: where the checkpoint goes.
        start: a checkpoint of the first epoch's end to go on from.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"`isinstance\(treespec, LeafSpec\)` is deprecated")
        warnings.filterwarnings("ignore", "The `srun` command is available")
        assembly, epochs = assemble(job.config, seat), Epochs(folder)
        trainer = growing._trainer(growing.Plot(job, seat, folder, None, Stopping()), [epochs], assembly)
        classifier, loader = assembly.classifier, assembly.data.train_dataloader()
        trainer.fit(classifier, Passes(loader), assembly.data.val_dataloader(), ckpt_path=start)
        trainer.test(classifier, assembly.data.test_dataloader(), verbose=False)
    return Fit(
        {name: value.cpu().numpy() for name, value in whole(classifier.network).items()},
        epochs.metrics,
        classifier.test_metrics.compute(),
        classifier.test_metrics.confusion().cpu().numpy(),
    )
