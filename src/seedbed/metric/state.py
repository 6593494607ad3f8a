"""What metrics have come to, as plain values: copied, and merged over ranks."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

# Tensors and lists of tensors only, so that a checkpoint loads with weights_only.
State = dict[str, Any]


def merged(states: Sequence[State]) -> State:
    """The state of the examples of several, such as those of all ranks.

    Example:
        >>> from seedbed.metric.collection import Metrics
        >>> both = [Metrics(2, names=("loss", "accuracy")) for _ in range(2)]
        >>> for metrics, label in zip(both, (0, 1)):
        ...     metrics.update(torch.tensor([[0.75, 0.25]]).log(), torch.tensor([label]))
        >>> both[0].restore(merged([metrics.state() for metrics in both]))
        >>> both[0].compute()["accuracy"]
        0.5
    """
    parts = {
        name: {key: _added([state["states"][name][key] for state in states]) for key in part}
        for name, part in states[0]["states"].items()
    }
    waiting = [torch.cat(pieces) for pieces in zip(*(state["waiting"] for state in states), strict=True)]
    return {"states": parts, "waiting": waiting}


def _added(values: Sequence[Tensor | list[Tensor]]) -> Tensor | list[Tensor]:
    """Sums of tensors; lists, which hold a part's examples, one after the other."""
    lists = [value for value in values if isinstance(value, list)]
    if lists:
        return [piece for pieces in lists for piece in pieces]
    return torch.stack([value for value in values if isinstance(value, Tensor)]).sum(dim=0)


def copied(state: Mapping[str, Any], device: torch.device | None = None) -> dict[str, Any]:
    """The states of one torchmetrics part, on this device."""
    copy: dict[str, Any] = {}
    for key, value in state.items():
        parts = [part.detach().clone().to(device or part.device) for part in _listed(value)]
        copy[key] = parts if isinstance(value, list) else parts[0]
    return copy


def _listed(value: Tensor | list[Tensor]) -> list[Tensor]:
    return value if isinstance(value, list) else [value]
