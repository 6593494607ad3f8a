"""What the steps of an epoch came to, for every member: objectives, and the sums of its metrics."""

from collections.abc import Sequence
from typing import Any, NamedTuple, final

import torch
from jaxtyping import Float
from torch import Tensor

from seedbed.stack.loss import Loss

Objectives = Float[Tensor, " member"]


class Result(NamedTuple):
    """An epoch of one member.

    Args:
        loss: mean negative log-likelihood in nats, without smoothing.
        accuracy: share of examples that were right.
        objective: mean of what was minimised.
        objectives: of each step.
    """

    loss: float
    accuracy: float
    objective: float
    objectives: list[float]


@final
class Book:
    """An epoch's accounts.

    Args:
        num_members: of the stack.
        num_classes: of the data.
        like: a tensor on the members' device.
    """

    def __init__(self, num_members: int, num_classes: int, like: Tensor) -> None:
        self._num_classes, self._device = num_classes, like.device
        self._none = torch.zeros(0, num_classes, dtype=like.dtype)
        self._clear(num_members)

    def _clear(self, num_members: int) -> None:
        self._hits = torch.zeros(num_members, dtype=torch.int64, device=self._device)
        self._losses = torch.zeros(num_members, dtype=torch.float64, device=self._device)
        self._objectives: list[Objectives] = []
        self._batch_sizes: list[int] = []
        self._num_checked = 0

    def clear(self) -> None:
        """Begins an epoch."""
        self._clear(len(self._losses))

    def add(self, objectives: Objectives, found: Loss, num_examples: int) -> None:
        """Takes in a step.

        Args:
            objectives: that were minimised.
            found: of its examples.
            num_examples: of the batch.
        """
        self._objectives.append(objectives)
        self._batch_sizes.append(num_examples)
        self._losses += found.surprises.sum(dim=0, dtype=torch.float64)
        self._hits += found.right.sum(dim=0)

    @property
    def num_unchecked(self) -> int:
        """Steps since the last `unchecked`."""
        return len(self._objectives) - self._num_checked

    def unchecked(self) -> dict[int, list[float]]:
        """The objectives since last asked, of each member of whom one is no number, by its place."""
        new = self._objectives[self._num_checked :]
        self._num_checked = len(self._objectives)
        if not new:
            return {}
        table = torch.stack(new)
        wrong = (~table.isfinite()).any(dim=0).nonzero().flatten().tolist()
        return {place: table[:, place].tolist() for place in wrong}

    def so_far(self, place: int) -> dict[str, Any]:
        """What a checkpoint holds of a member's unfinished epoch, but for the number of steps."""
        loss, hits, number = self._losses[place], self._hits[place], sum(self._batch_sizes)
        sums = torch.stack([loss, torch.full_like(loss, number)])
        # Of which class a miss was is nothing that the training metrics ask.
        counts = torch.zeros(self._num_classes, self._num_classes, dtype=torch.int64, device=self._device)
        counts[0, 0], counts[0, 1] = hits, number - hits
        metrics = {"": {"counts": counts}, "loss": {"sums": sums}}
        waiting = [self._none, torch.zeros(0, dtype=torch.int64)]
        table = torch.stack(self._objectives) if self._objectives else torch.zeros(0, len(self._losses))
        return {
            "metrics": {"states": metrics, "waiting": waiting},
            "objectives": table[:, place].contiguous(),
            "counts": self._batch_sizes[:],
        }

    def results(self) -> list[Result]:
        """What the epoch came to, of each member."""
        table = torch.stack(self._objectives).double().t().cpu()
        sizes = torch.tensor(self._batch_sizes, dtype=torch.float64)
        number = float(sizes.sum())
        means = (table @ sizes / number).tolist()
        losses, hits = (self._losses / number).tolist(), (self._hits.double() / number).tolist()
        return [Result(*row) for row in zip(losses, hits, means, table.tolist(), strict=True)]

    def keep(self, places: Sequence[int]) -> None:
        """Goes on with the members at these places."""
        self._hits, self._losses = self._hits[list(places)], self._losses[list(places)]
        self._objectives = [objectives[list(places)] for objectives in self._objectives]
