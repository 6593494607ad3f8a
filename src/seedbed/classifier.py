"""Joins network, metrics and optimiser: the only LightningModule of ordinary training.

What enters are batches; what leaves are metrics a split.
"""

import functools
import operator
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR

from seedbed.metric.collection import Metrics
from seedbed.metric.state import merged
from seedbed.model.dropout import Dropout
from seedbed.model.network import Network
from seedbed.model.sharding import deal_out
from seedbed.objective import Objective, micro_batches
from seedbed.optim.groups import parameter_groups
from seedbed.seat import Seat
from seedbed.shapes import Batch, Facts, Keys, Labels, Logits
from seedbed.stepping import Stepping
from seedbed.streams import example_keys
from seedbed.tally import Tally

# Where a checkpoint holds what an unfinished epoch has come to, over all ranks.
SO_FAR = "so_far"
# A host must wait for the device to read a loss.
STEPS_BETWEEN_LOSS_CHECKS = 100

MakeOptimizer = Callable[[Any], torch.optim.Optimizer]
MakeSchedule = Callable[[int], Callable[[int], float]]


class Classifier(Stepping):
    """Trains and evaluates one network.

    Args:
        network: inputs to logits.
        facts: what the data knows.
        objective: what is minimised beside the NLL.
        make_optimizer: parameter groups to optimiser.
        make_schedule: number of all steps to a factor on the learning rate a step.
        epoch_steps: optimiser steps of an epoch.
        max_epochs: epochs of the whole training.
        dropout_stream: seed of the dropout masks.
        gradient_clip_norm: largest norm of the gradient, None for no limit.
        num_micro_batches: parts of a batch that are computed one after the other, 1 or more.
        seat: this process among those that share each batch.
    """

    def __init__(
        self,
        network: Network,
        *,
        facts: Facts,
        objective: Objective,
        make_optimizer: MakeOptimizer,
        make_schedule: MakeSchedule,
        epoch_steps: int,
        max_epochs: int,
        dropout_stream: int,
        gradient_clip_norm: float | None = None,
        num_micro_batches: int = 1,
        seat: Seat = Seat(),  # noqa: B008 - immutable
    ) -> None:
        super().__init__(epoch_steps=epoch_steps, max_epochs=max_epochs, seat=seat)
        self.network = network
        self.objective = objective
        self.dropout_stream = dropout_stream
        self.gradient_clip_norm, self.num_micro_batches = gradient_clip_norm, num_micro_batches
        self._make_optimizer, self._make_schedule = make_optimizer, make_schedule
        self._training_offset = facts.training_offset
        self._drops = any(isinstance(part, Dropout) and part.probability for part in network.modules())
        self.train_metrics = Metrics(facts.num_classes, names=("loss", "accuracy"))
        self.val_metrics = Metrics(facts.num_classes)
        self.test_metrics = Metrics(facts.num_classes)
        self.epoch_metrics: dict[str, float] = {}
        self.epoch_objectives: list[float] = []
        self._num_shares = seat.world_size * num_micro_batches
        self._tally = Tally(seat)
        self.test_outputs: list[tuple[Logits, Labels, Tensor]] = []

    def configure_model(self) -> None:
        if self.device_mesh is not None:  # of a strategy that wants the network in parts
            deal_out(self.network, self.device_mesh["data_parallel"])

    def configure_optimizers(self) -> Any:
        optimizer = self._make_optimizer(
            parameter_groups(self.network, self.network.penalised(), self._make_optimizer)
        )
        return [optimizer], [LambdaLR(optimizer, self._make_schedule(self.num_steps))]

    def evaluate(self, batch: Batch) -> tuple[Tensor, Logits]:
        parts = micro_batches(batch, self.num_micro_batches)
        shares, logits = [], []
        for number, part in enumerate(parts, 1):
            output = self._training_logits(part)
            share = self.objective.share(self.network, output, part, self._num_shares)
            if torch.is_grad_enabled():
                self.differentiate(share, last=number == len(parts))
            shares.append(share.detach())
            logits.append(output.detach())
        return functools.reduce(operator.add, shares), torch.cat(logits)

    def _keys(self, batch: Batch) -> Keys | None:
        if not self._drops:
            return None
        return example_keys(self.dropout_stream, self.current_epoch, batch.indices)

    def _training_logits(self, batch: Batch) -> Logits:
        """Logits for the examples there are to learn from, of which some negatives may be left out."""
        logits = self._logits(batch, self._keys(batch))
        return logits + self._training_offset if self._training_offset else logits

    def _logits(self, batch: Batch, keys: Keys | None = None) -> Logits:
        # Mixed precision ends here: losses and metrics are of the inputs' type.
        logits: Logits = self.network(batch.inputs, keys).to(batch.inputs.dtype)
        return logits

    def account(self, share: Tensor, logits: Logits, batch: Batch) -> None:
        self._tally.add(share, batch.num_examples)
        self.train_metrics.update(self.network.likelihood.log_probabilities(logits), batch.labels)
        if self._tally.num_unchecked >= STEPS_BETWEEN_LOSS_CHECKS:
            self._check()

    def _check(self) -> None:
        self._tally.check(self.num_steps_done, self.current_epoch + 1)

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        if self.gradient_clip_norm is not None:
            nn.utils.clip_grad_norm_(self.network.parameters(), self.gradient_clip_norm)

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        self._evaluate(batch, self.val_metrics)

    def test_step(self, batch: Batch, batch_idx: int) -> None:
        logits = self._evaluate(batch, self.test_metrics)
        self.test_outputs.append((logits, batch.labels, batch.indices))

    def _evaluate(self, batch: Batch, metrics: Metrics) -> Logits:
        logits = self._logits(batch)
        metrics.update(self.network.likelihood.log_probabilities(logits), batch.labels)
        return logits

    def on_validation_epoch_end(self) -> None:
        self.epoch_metrics |= self.val_metrics.drain("val")

    def on_train_epoch_end(self) -> None:
        self._check()
        self.epoch_metrics |= self.train_metrics.drain("train")
        self.epoch_metrics["train/objective"], self.epoch_objectives = self._tally.drain()

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Adds what the epoch has come to so far, so that other numbers of ranks can go on with it.

        Raises:
            TrainingError: for an objective that is no number: nothing is to go on from there.
        """
        self._check()
        metrics = merged(self.seat.gathered(self.train_metrics.state()))
        checkpoint[SO_FAR] = {"metrics": metrics, "num_steps": self.num_steps_done, **self._tally.state()}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Goes on with what the ranks had come to: the first has all of it, the others nothing."""
        so_far = checkpoint[SO_FAR]
        self.num_steps_done = so_far["num_steps"]
        if self.seat.first:
            self.train_metrics.restore(so_far["metrics"])
        self._tally.restore(so_far, next(self.parameters()).device)
