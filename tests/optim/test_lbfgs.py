"""The polish: more digits than a line search can see, and never a worse point."""

from typing import Any

import torch
from torch import Tensor, nn

from seedbed.optim.lbfgs import Lbfgs

SETTINGS: dict[str, Any] = {
    "lr": 1.0,
    "max_iter": 200,
    "history_size": 20,
    "tolerance_grad": 0.0,
    "tolerance_change": 0.0,
    "line_search_fn": "strong_wolfe",
}


def problem() -> tuple[nn.Linear, Tensor, Tensor]:
    """Penalised logistic regression, 40 x 3, in float64."""
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(40, 3, generator=generator, dtype=torch.float64)
    labels = (inputs[:, :1] + torch.randn(40, 1, generator=generator, dtype=torch.float64) > 0).double()
    linear = nn.Linear(3, 1, dtype=torch.float64)
    nn.init.zeros_(linear.weight)
    nn.init.zeros_(linear.bias)
    return linear, inputs, labels


def slope_after(optimizer_class: type[torch.optim.LBFGS], **settings: Any) -> float:
    """Largest gradient entry where the optimiser ends."""
    linear, inputs, labels = problem()
    optimizer = optimizer_class(linear.parameters(), **{**SETTINGS, **settings})

    def objective() -> Tensor:
        optimizer.zero_grad()
        nll = nn.functional.binary_cross_entropy_with_logits(linear(inputs), labels)
        value = nll + 0.05 * linear.weight.square().sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimizer.step(objective)  # type: ignore[no-untyped-call,unused-ignore]
    objective()
    return max(
        float(parameter.grad.abs().max()) for parameter in linear.parameters() if parameter.grad is not None
    )


def test_the_polish_finds_digits_that_the_line_search_cannot_see() -> None:
    # 1e-15 is a few rounding errors of a mean of 40 terms below 1.
    assert slope_after(Lbfgs) < 1e-15 < slope_after(torch.optim.LBFGS)


def test_a_polish_that_would_worsen_the_point_is_undone() -> None:
    # One iteration from far away: a full step of length 1000 overshoots.
    far: dict[str, Any] = {"max_iter": 1, "lr": 1000.0}
    assert slope_after(Lbfgs, **far) <= slope_after(torch.optim.LBFGS, **far)


def test_without_a_line_search_it_is_torchs_own() -> None:
    own: dict[str, Any] = {"line_search_fn": None, "max_iter": 7}
    assert slope_after(Lbfgs, **own) == slope_after(torch.optim.LBFGS, **own)
