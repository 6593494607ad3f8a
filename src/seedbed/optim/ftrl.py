"""FTRL-Proximal: a learning rate a weight, and an L1 penalty that leaves exact zeros."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, final

import torch
from torch import Tensor
from torch.nn import functional

State = dict[str, Tensor]


class Pull(NamedTuple):
    """Settings of a group of weights: alpha, beta, lambda_1 and lambda_2 of the source."""

    lr: float
    beta: float
    l1: float
    l2: float


@final
class Ftrl(torch.optim.Optimizer):
    """Follows the leader, regularised, a weight at a time.

    A step takes the gradient g of each weight w and keeps n, the sum of all g^2, and z:
    sigma = (sqrt(n + g^2) - sqrt(n)) / lr, z += g - sigma w, n += g^2, and then
    w = 0 where |z| <= l1, else w = -(z - sign(z) l1) / ((beta + sqrt(n)) / lr + l2).

    Both penalties count once in all, not once a step: in their sum over T steps of mean gradients they are
    l1 / T and l2 / T on the mean loss. Weights that do not begin at 0 stay where they are until a gradient
    moves them. Of a sparse gradient only the slots that it names are touched, with the same result.

    Args:
        params: what is trained.
        lr: alpha, above 0; it must not change from step to step.
        beta: above 0: keeps the first steps short.
        l1: lambda_1, 0 or more.
        l2: lambda_2, 0 or more.

    Source: McMahan et al. (2013), "Ad click prediction: a view from the trenches", algorithm 1.
    """

    def __init__(self, params: Iterable[Any], *, lr: float, beta: float, l1: float, l2: float) -> None:
        super().__init__(params, {"lr": lr, "beta": beta, "l1": l1, "l2": l2})

    @torch.no_grad()
    def step(self, closure: Callable[[], Tensor] | None = None) -> Tensor | None:  # type: ignore[override]
        """Takes one step.

        Args:
            closure: evaluates the objective anew and leaves its gradient.

        Returns:
            The objective before the step; None without a closure.
        """
        value = None
        if closure is not None:
            with torch.enable_grad():
                value = closure()
        for group in self.param_groups:
            pull = Pull(*(group[name] for name in Pull._fields))
            for weight in group["params"]:
                if weight.grad is not None:
                    self._move(weight, weight.grad, pull)
        return value

    def _move(self, weight: Tensor, gradient: Tensor, pull: Pull) -> None:
        state: State = self.state[weight]
        if not state:
            state["n"] = torch.zeros_like(weight)
            # The z at which the formula gives the weight that is there.
            state["z"] = -weight * (pull.beta / pull.lr + pull.l2) - weight.sign() * pull.l1
        z, n = state["z"], state["n"]
        if not gradient.is_sparse:
            for old, new in zip((weight, z, n), moved(weight, z, n, gradient, pull), strict=True):
                old.copy_(new)
            return
        gradient = gradient.coalesce()
        slots, values = gradient.indices()[0], gradient.values()
        here = [part.index_select(0, slots) for part in (weight, z, n)]
        for old, new in zip((weight, z, n), moved(here[0], here[1], here[2], values, pull), strict=True):
            old.index_copy_(0, slots, new)


def moved(weight: Tensor, z: Tensor, n: Tensor, gradient: Tensor, pull: Pull) -> tuple[Tensor, ...]:
    """The weights and their z and n after one step; all of one shape."""
    after = n + gradient.square()
    root = after.sqrt()
    z = z + gradient - (root - n.sqrt()) / pull.lr * weight
    weight = functional.softshrink(z, pull.l1) / -((pull.beta + root) / pull.lr + pull.l2)
    return weight, z, after
