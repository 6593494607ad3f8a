"""Peer: the same stack with every import at the top, an epoch of softmax regression on digits, on record.

python -m experiments.speed.naive_start folder=FOLDER
"""

import logging
import warnings
from pathlib import Path
from typing import Any

import hydra
import mlflow.pytorch
import pytorch_lightning as pl
import torch
import torchmetrics
import torchvision  # noqa: F401 - part of the stack; a template imports it where it lists its data sets
from omegaconf import DictConfig, OmegaConf
from pytorch_lightning.loggers import MLFlowLogger
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from experiments.speed.first_step import costs_at_first_step
from experiments.speed.measuring import tell


class Softmax(pl.LightningModule):
    def __init__(self, lr: float) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.lr = lr
        self.linear, self.loss = nn.Linear(64, 10), nn.CrossEntropyLoss()
        self.accuracy = torchmetrics.classification.MulticlassAccuracy(10)

    def training_step(self, batch: list[Tensor], batch_idx: int) -> Tensor:
        logits = self.linear(batch[0])
        loss: Tensor = self.loss(logits, batch[1])
        self.accuracy(logits, batch[1])
        self.log("train_loss", loss)
        self.log("train_accuracy", self.accuracy)
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.AdamW(self.parameters(), lr=self.lr)


@hydra.main(version_base="1.3", config_path=".", config_name="naive_start")
def main(config: DictConfig) -> None:
    costs = costs_at_first_step()
    warnings.simplefilter("ignore")
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    pl.seed_everything(config.seed)
    folder = Path(config.folder)
    digits = load_digits()
    inputs = torch.tensor(digits.data, dtype=torch.float32) / 16
    data = TensorDataset(inputs, torch.tensor(digits.target))
    logger = MLFlowLogger(
        "speed", tracking_uri=f"sqlite:///{folder}/mlflow.db", artifact_location=str(folder)
    )
    values: Any = OmegaConf.to_container(config, resolve=True)
    logger.log_hyperparams(values)
    logger.experiment.log_dict(logger.run_id, values, "config.yaml")
    trainer = pl.Trainer(
        max_epochs=config.trainer.max_epochs, accelerator="cpu", logger=logger, default_root_dir=folder
    )
    model = Softmax(config.optimizer.lr)
    trainer.fit(model, DataLoader(data, batch_size=64, shuffle=True))
    with mlflow.start_run(run_id=logger.run_id):
        mlflow.pytorch.log_model(model.linear, name="model", input_example=inputs[:2].numpy())
    tell(dict(costs))


if __name__ == "__main__":
    main()
