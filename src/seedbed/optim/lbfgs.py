"""L-BFGS to the last digit: torch's own, and where its line search goes blind, full steps."""

from collections.abc import Callable, Iterable
from typing import Any, final

import torch
from torch import Tensor, nn


@final
class Lbfgs(torch.optim.LBFGS):
    """torch's L-BFGS, polished.

    A line search compares objectives, which rounding blurs by 1e-16 and so weights by 1e-8: there it
    stalls. Full quasi-Newton steps, which look at the gradient alone, go on from where it ended; they
    are kept only if they made the largest gradient entry smaller.

    Args:
        params: what is trained.
        lr: first step length tried, above 0.
        max_iter: iterations a step at most, in each of the two phases.
        history_size: past updates that shape the step.
        tolerance_grad: stop when the largest gradient entry is at most this.
        tolerance_change: stop when the objective or the weights change by less than this.
        line_search_fn: strong_wolfe; None for full steps only, without a polish.

    Source: Nocedal and Wright (2006), "Numerical optimization", algorithm 7.5.
    """

    def __init__(
        self,
        params: Iterable[nn.Parameter],
        *,
        lr: float,
        max_iter: int,
        history_size: int,
        tolerance_grad: float,
        tolerance_change: float,
        line_search_fn: str | None,
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            max_iter=max_iter,
            history_size=history_size,
            tolerance_grad=tolerance_grad,
            tolerance_change=tolerance_change,
            line_search_fn=line_search_fn,
        )

    def step(self, closure: Callable[[], Tensor]) -> Tensor:  # type: ignore[override]
        """Runs until a tolerance or `max_iter` is reached.

        Args:
            closure: evaluates the objective anew and leaves its gradient.

        Returns:
            The objective at the start.
        """
        first: Tensor = super().step(closure)  # type: ignore[no-untyped-call]
        group = self.param_groups[0]
        if group["line_search_fn"] is not None:
            self._polish(closure, group)
        return first

    def _polish(self, closure: Callable[[], Tensor], group: dict[str, Any]) -> None:
        with torch.enable_grad():
            closure()
        before = self._slope()
        if before <= group["tolerance_grad"]:
            return
        kept = [parameter.detach().clone() for parameter in group["params"]]
        search, group["line_search_fn"] = group["line_search_fn"], None
        super().step(closure)  # type: ignore[no-untyped-call]
        group["line_search_fn"] = search
        with torch.enable_grad():
            closure()
        if not self._slope() < before:
            with torch.no_grad():
                for parameter, value in zip(group["params"], kept, strict=True):
                    parameter.copy_(value)

    def _slope(self) -> float:
        """The largest entry of the gradient."""
        return max(float(parameter.grad.abs().max()) for parameter in self.param_groups[0]["params"])
