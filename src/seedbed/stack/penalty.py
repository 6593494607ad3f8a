"""Penalties and clipped gradients of many members, each with its own numbers."""

from collections.abc import Iterable, Sequence
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from seedbed.objective import Objective
from seedbed.stack.network import Stacked

Numbers = Float[Tensor, " member"]


@final
class Penalties:
    """l1 ||W||_1 + (l2 / 2) ||W||_2^2 of each member, as `seedbed.optim.penalty`; and its smoothing.

    Args:
        objectives: of the members.
        like: a tensor of the members' type, on their device.

    Attributes:
        smoothing: share of each label that is spread over all classes, a member.
    """

    def __init__(self, objectives: Sequence[Objective], like: Tensor) -> None:
        columns = zip(*objectives, strict=True)
        self._l1, self._l2, self.smoothing = (like.new_tensor(column) for column in columns)
        self._some = bool(self._l1.any()), bool(self._l2.any())

    def add(self, weights: Iterable[Stacked]) -> Numbers:
        """Adds the gradients; what the penalties add to the objective of each member.

        Args:
            weights: what is penalised.
        """
        total = torch.zeros_like(self._l1)
        for stacked in weights:
            values, slopes = stacked.values.flatten(1), stacked.slopes.flatten(1)
            if self._some[0]:
                total = total + self._l1 * values.abs().sum(dim=1)
                slopes.addcmul_(values.sign(), self._l1[:, None])
            if self._some[1]:
                total = total + self._l2 / 2 * torch.linalg.vector_norm(values, dim=1).square()
                slopes.addcmul_(values, self._l2[:, None])
        return total


def clip(parameters: Iterable[Stacked], largest: float) -> None:
    """Shortens each member's gradient to a norm, as torch's `clip_grad_norm_` does.

    Args:
        parameters: all of the network's.
        largest: norm, above 0.
    """
    parts = [stacked.slopes.flatten(1) for stacked in parameters]
    norms = torch.stack([part.norm(dim=1) for part in parts]).norm(dim=0)
    factors = (largest / (norms + 1e-6)).clamp(max=1.0)
    for part in parts:
        part.mul_(factors[:, None])
