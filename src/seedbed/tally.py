"""The objective of each step of an epoch, as this process's shares of it."""

import math
import operator
from typing import Any

import torch
from torch import Tensor

from seedbed.errors import TrainingError
from seedbed.seat import Seat


class Tally:
    """Shares of the objective, step by step.

    Args:
        seat: this process among those that have the other shares.
    """

    def __init__(self, seat: Seat) -> None:
        self._seat = seat
        self._shares: list[Tensor] = []
        self._counts: list[int] = []
        self._num_checked = 0

    def add(self, share: Tensor, num_examples: int) -> None:
        """Takes in a step.

        Args:
            share: of the objective, a scalar.
            num_examples: of the whole batch.
        """
        self._shares.append(share)
        self._counts.append(num_examples)

    @property
    def num_unchecked(self) -> int:
        """Steps since the last `check`."""
        return len(self._shares) - self._num_checked

    def check(self, step: int, epoch: int) -> None:
        """Stops at the first step whose objective is no number.

        Args:
            step: number of the last one, from 1.
            epoch: its epoch, from 1.

        Raises:
            TrainingError: naming epoch and step.
        """
        new = self._shares[self._num_checked :]
        for place, value in enumerate(torch.stack(new).tolist() if new else []):
            if not math.isfinite(value):
                raise TrainingError(
                    f"objective at step {step - len(new) + place + 1} (epoch {epoch})",
                    expected="a finite number",
                    got=str(value),
                    do="Lower optimizer.lr, set trainer.gradient_clip_norm, or look at the inputs' scale.",
                )
        self._num_checked = len(self._shares)

    def drain(self) -> tuple[float, list[float]]:
        """The mean objective an example and that of each step, over all ranks; forgets all steps."""
        values = self._seat.summed(torch.stack(self._shares)).tolist()
        mean: float = sum(map(operator.mul, values, self._counts)) / sum(self._counts)
        self._shares, self._counts, self._num_checked = [], [], 0
        return mean, values

    def state(self) -> dict[str, Any]:
        """Of all ranks, which must all ask for it."""
        objectives = self._seat.summed(torch.stack(self._shares)) if self._shares else torch.zeros(0)
        return {"objectives": objectives, "counts": self._counts[:]}

    def restore(self, state: dict[str, Any], device: torch.device) -> None:
        """Goes on from a state: the first rank holds what all had, the others nothing."""
        objectives = state["objectives"].to(device)
        if not self._seat.first:
            objectives = torch.zeros_like(objectives)
        self._shares, self._counts = list(objectives), list(state["counts"])
        self._num_checked = len(self._shares)
