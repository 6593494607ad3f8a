"""How a network is taken through the steps of an epoch.

Lightning sees a whole epoch as one of its batches: what it does around each would cost more than a
step of a small model. Optimisation is manual, because one step must also serve L-BFGS, which
evaluates the objective many times.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.optim.lr_scheduler import LambdaLR

from seedbed import lean
from seedbed.seat import Seat
from seedbed.shapes import Batch, Logits


class Stepping(pl.LightningModule, ABC):
    """A module whose training batch is an iterator over the batches of an epoch, or over those left of it.

    Args:
        epoch_steps: optimiser steps of an epoch.
        max_epochs: epochs of the whole training.
        seat: this process among those that share each batch.

    Attributes:
        num_steps: optimiser steps of the whole training.
        num_steps_done: those that have ended.
    """

    def __init__(self, *, epoch_steps: int, max_epochs: int, seat: Seat) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.epoch_steps, self.num_steps, self.num_steps_done = epoch_steps, epoch_steps * max_epochs, 0
        self.seat = seat

    @abstractmethod
    def evaluate(self, batch: Batch) -> tuple[Tensor, Logits]:
        """What this process adds to the batch's objective, and its examples' logits.

        Where gradients are enabled, its share of the gradient is added to the weights'.
        """

    @abstractmethod
    def account(self, share: Tensor, logits: Logits, batch: Batch) -> None:
        """Takes in what a step has shown."""

    def transfer_batch_to_device(self, batch: Any, *_: Any) -> Any:
        return batch  # the loader's batches already are where the network is

    def training_step(self, batches: Iterator[Batch], _: int) -> None:
        lean.hang()
        callbacks: list[pl.Callback] = self.trainer.callbacks  # type: ignore[attr-defined]
        watches = [callback for callback in callbacks if isinstance(callback, StepWatch)]
        for batch in batches:
            self.step(batch)
            for watch in watches:
                watch.on_step_end(self.trainer, self)

    def step(self, batch: Batch) -> None:
        """One optimiser step, on this process's share of a batch."""
        optimizer = self._optimizer()
        searches = isinstance(optimizer, torch.optim.LBFGS)
        evaluations: list[tuple[Tensor, Logits]] = []

        def closure() -> Tensor:
            optimizer.zero_grad()
            evaluations[:] = [self.evaluate(batch)]
            if not self._is_scaled:  # else Lightning does this, after it has scaled back
                self.on_before_optimizer_step(optimizer)
            share, _ = evaluations[0]
            # A line search has to decide alike on all ranks, and so must see the same number.
            return self.seat.summed(share) if searches else share

        optimizer.step(closure)
        if searches:
            # The last evaluation may be a trial of the line search: look once more from where it ended.
            with torch.no_grad():
                evaluations[:] = [self.evaluate(batch)]
        self.num_steps_done += 1
        schedule = self.lr_schedulers()
        assert isinstance(schedule, LambdaLR)
        schedule.step()
        self.account(*evaluations[0], batch)

    @property
    def _is_scaled(self) -> bool:
        """Whether losses are scaled, so that small gradients survive half precision."""
        return getattr(self.trainer.precision_plugin, "scaler", None) is not None

    def _optimizer(self) -> Any:
        """The optimiser without Lightning's wrapper, which is needed only where losses are scaled."""
        wrapped = self.optimizers()
        assert not isinstance(wrapped, list)
        return wrapped if self._is_scaled else wrapped.optimizer

    def differentiate(self, share: Tensor, *, last: bool) -> None:
        """Adds the gradient of a share of the objective.

        Args:
            share: a scalar.
            last: whether it is the process's last one of this step: ranks exchange theirs then only.
        """
        if self.seat.alone and not self._is_scaled:
            share.backward()  # type: ignore[no-untyped-call]
            return
        silence = getattr(self.trainer.strategy, "block_backward_sync", nullcontext)
        with nullcontext() if last else silence():
            # Strategies average gradients over the ranks; this sums them. A factor of 1 is left out.
            self.manual_backward(share if self.seat.alone else share * self.seat.world_size)


class StepWatch(ABC):
    """A callback that hears of the end of each optimiser step, of which Lightning itself knows nothing."""

    @abstractmethod
    def on_step_end(self, trainer: pl.Trainer, module: Stepping) -> None:
        """`module.num_steps_done` counts the step that has just ended."""
