"""What a training leaves for whoever re-runs it: digests of its weights, and the objective of every step."""

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from numpy.typing import NDArray
from pytorch_lightning.callbacks import Checkpoint
from torch import Tensor

from seedbed.classifier import Classifier
from seedbed.model.sharding import whole


class Trace(Checkpoint):
    """Digests of the weights before the first step and after each epoch, and every step's objective.

    It travels in the checkpoints, so that a run that was interrupted has one trace. A `Checkpoint` in
    Lightning's sense, because only those run after the module's own epoch end.

    Attributes:
        initial: digest of the weights before the first step.
        epochs: digest of the weights after each epoch.
    """

    def __init__(self) -> None:
        self.initial, self.epochs = "", list[str]()
        self._objectives = torch.zeros(0, dtype=torch.float64)

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        assert isinstance(pl_module, Classifier)
        if not pl_module.num_steps_done:
            self.initial = weights_digest(whole(pl_module.network))

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        assert isinstance(pl_module, Classifier)
        self.epochs.append(weights_digest(whole(pl_module.network)))
        new = torch.tensor(pl_module.epoch_objectives, dtype=torch.float64)
        self._objectives = torch.cat([self._objectives, new])

    @property
    def objectives(self) -> NDArray[np.float64]:
        """The objective of each optimiser step, over all processes, as it was minimised."""
        values: NDArray[np.float64] = self._objectives.numpy()
        return values

    def state_dict(self) -> dict[str, Any]:
        return {"initial": self.initial, "epochs": self.epochs[:], "objectives": self._objectives}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.initial, self.epochs = state_dict["initial"], list(state_dict["epochs"])
        self._objectives = state_dict["objectives"]


def weights_digest(state: Mapping[str, Tensor]) -> str:
    """SHA-256 of the names, types, shapes and bits of all weights and buffers, in the order of their names.

    Args:
        state: whole weights by name.
    """
    running = hashlib.sha256()
    for name in sorted(state):
        value = state[name]
        array = value.detach().cpu().contiguous()
        running.update(f"{name} {array.dtype} {list(array.shape)}\n".encode())
        running.update(array.reshape(-1).view(torch.uint8).numpy().data)
    return running.hexdigest()


def array_digest(values: NDArray[Any]) -> str:
    """SHA-256 of the type, shape and bits of an array."""
    running = hashlib.sha256(f"{values.dtype.str} {list(values.shape)}\n".encode())
    running.update(np.ascontiguousarray(values).tobytes())
    return running.hexdigest()
