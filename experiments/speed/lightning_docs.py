"""Peer: Lightning as its documentation shows it, on MNIST with an MLP.

python -m experiments.speed.lightning_docs DATA NUM_EPOCHS FOLDER

No worker processes: on a data set as small as this they cost more CPU seconds than they save.
"""

import statistics
import sys
import warnings
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import ModelCheckpoint
from pytorch_lightning.loggers import MLFlowLogger
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, random_split
from torchmetrics.classification import MulticlassAccuracy
from torchvision import datasets, transforms

from experiments.speed.measuring import Cost, spent, tell

Example = list[Tensor]


class Mnist(pl.LightningDataModule):
    def __init__(self, folder: str, batch_size: int = 128) -> None:
        super().__init__()
        self.folder, self.batch_size = folder, batch_size
        self.transform = transforms.Compose(
            [transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))]
        )

    def setup(self, stage: str) -> None:
        whole = datasets.MNIST(self.folder, train=True, transform=self.transform)
        shuffled = torch.Generator().manual_seed(42)
        self.train: Dataset[Any]
        self.train, self.val = random_split(whole, [54_000, 6_000], generator=shuffled)

    def train_dataloader(self) -> "DataLoader[Example]":
        return DataLoader(self.train, batch_size=self.batch_size, shuffle=True)

    def val_dataloader(self) -> "DataLoader[Example]":
        return DataLoader(self.val, batch_size=self.batch_size)


class Mlp(pl.LightningModule):
    def __init__(self, lr: float = 0.003) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.lr = lr
        self.layers = nn.Sequential(
            nn.Flatten(), nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10)
        )
        self.loss = nn.CrossEntropyLoss()
        self.train_accuracy = MulticlassAccuracy(10, average="micro")
        self.val_accuracy = MulticlassAccuracy(10, average="micro")

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.layers(images)
        return logits

    def training_step(self, batch: Example, batch_idx: int) -> Tensor:
        images, labels = batch
        logits = self(images)
        loss: Tensor = self.loss(logits, labels)
        self.train_accuracy(logits, labels)
        self.log("train_loss", loss, on_step=True, on_epoch=True, prog_bar=True)
        self.log("train_accuracy", self.train_accuracy, on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch: Example, batch_idx: int) -> None:
        images, labels = batch
        logits = self(images)
        self.val_accuracy(logits, labels)
        self.log("val_loss", self.loss(logits, labels), prog_bar=True)
        self.log("val_accuracy", self.val_accuracy, prog_bar=True)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.AdamW(self.parameters(), lr=self.lr)


class Clock(pl.Callback):
    """When each epoch, validation and logging included, was over."""

    def __init__(self) -> None:
        self.times: list[Cost] = []

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.times.append(spent())


def main(data: str, num_epochs: int, folder: Path) -> None:
    pl.seed_everything(0)
    logger = MLFlowLogger(
        "speed", tracking_uri=f"sqlite:///{folder}/mlflow.db", artifact_location=str(folder)
    )
    clock = Clock()
    best = ModelCheckpoint(monitor="val_accuracy", mode="max")
    trainer = pl.Trainer(
        max_epochs=num_epochs,
        accelerator="cpu",
        logger=logger,
        callbacks=[best, clock],
        default_root_dir=folder,
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*does not have many workers")
        trainer.fit(Mlp(), datamodule=Mnist(data))
    warm = [after - before for before, after in pairwise(clock.times)]
    typical = Cost(*(statistics.median(one) for one in zip(*warm, strict=True)))
    tell({"epoch": typical}, accuracy=float(trainer.callback_metrics["val_accuracy"]))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
