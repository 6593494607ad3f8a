"""torch's SGD and AdamW for many members at once, each with its own numbers.

Each member has its own optimiser of torch, too, which never steps: it says what the numbers are, and
its state is made of views, so that a checkpoint is what a run of its own would have written.
"""

import abc
from collections.abc import Callable, Mapping, Sequence
from typing import Any, final

import torch
from torch import Tensor

from seedbed.stack.network import Stacked

Optimizer = torch.optim.Optimizer


class StackedOptimizer(abc.ABC):
    """Steps of all members.

    Args:
        parameters: of the stacked network.
        own: the members' optimisers, of one class, over views of the parameters.
        factor: of the learning rate, by the number of steps done.
    """

    # Of torch's state of a parameter: what lies in it.
    buffers: tuple[str, ...]

    def __init__(
        self, parameters: Mapping[str, Stacked], own: Sequence[Optimizer], factor: Callable[[int], float]
    ) -> None:
        self.parameters, self.own, self._factor = list(parameters.values()), list(own), factor
        self._state = [
            {name: torch.zeros_like(stacked.values) for name in self.buffers} for stacked in self.parameters
        ]
        self._read()

    def _read(self) -> None:
        """Takes the numbers from the members' optimisers, and gives them views of the state."""
        groups = [_groups(optimizer) for optimizer in self.own]
        self._numbers: list[dict[str, Tensor]] = []
        for stacked, state in zip(self.parameters, self._state, strict=True):
            found = [group[parameter] for group, parameter in zip(groups, stacked.own, strict=True)]
            self._numbers.append({name: _column(found, name, stacked.values) for name in self.numbers})
            for place, parameter in enumerate(stacked.own):
                views = {name: values[place] for name, values in state.items()}
                held = self._as_torch(found[place], views)
                if held:
                    self.own[place].state[parameter] = held

    @property
    @abc.abstractmethod
    def numbers(self) -> tuple[str, ...]:
        """Keys of a parameter group that members may differ in."""

    def _as_torch(self, group: Mapping[str, Any], views: dict[str, Tensor]) -> dict[str, Tensor]:
        """The state of a member's parameter, as torch has it."""
        del group
        return views

    @abc.abstractmethod
    def _move(
        self, stacked: Stacked, state: dict[str, Tensor], numbers: dict[str, Tensor], step: int
    ) -> None:
        """One step of a parameter of all members; `step` counts from 0."""

    def step(self, step: int) -> None:
        """Moves the parameters along their gradients.

        Args:
            step: number of the step, from 0.
        """
        factor = self._factor(step)
        for stacked, state, numbers in zip(self.parameters, self._state, self._numbers, strict=True):
            self._move(stacked, state, numbers | {"rate": numbers["initial_lr"] * factor}, step)

    def keep(self, places: Sequence[int]) -> None:
        """Goes on with the members at these places, once the parameters do."""
        gone = [self.own[place] for place in range(len(self.own)) if place not in set(places)]
        for optimizer in gone:
            for state in optimizer.state.values():
                state.update({name: value.clone() for name, value in state.items()})
        self.own = [self.own[place] for place in places]
        self._state = [
            {name: values[list(places)] for name, values in state.items()} for state in self._state
        ]
        self._read()


@final
class Sgd(StackedOptimizer):
    """Stochastic gradient descent with momentum."""

    buffers = ("momentum_buffer",)

    @property
    def numbers(self) -> tuple[str, ...]:
        return "initial_lr", "momentum", "weight_decay"

    def _as_torch(self, group: Mapping[str, Any], views: dict[str, Tensor]) -> dict[str, Tensor]:
        return views if group["momentum"] else {}

    def _move(
        self, stacked: Stacked, state: dict[str, Tensor], numbers: dict[str, Tensor], step: int
    ) -> None:
        del step
        slopes, kept = stacked.slopes, state["momentum_buffer"]
        if numbers["weight_decay"].any():
            slopes.addcmul_(stacked.values, numbers["weight_decay"])
        if numbers["momentum"].any():
            torch.addcmul(slopes, kept, numbers["momentum"], out=kept)
            if self.own[0].param_groups[0]["nesterov"]:
                slopes.addcmul_(kept, numbers["momentum"])
            else:
                slopes = kept
        stacked.values.addcmul_(slopes, -numbers["rate"])


@final
class AdamW(StackedOptimizer):
    """Adam with decoupled weight decay."""

    buffers = ("exp_avg", "exp_avg_sq")

    @property
    def numbers(self) -> tuple[str, ...]:
        return "initial_lr", "weight_decay"

    def _as_torch(self, group: Mapping[str, Any], views: dict[str, Tensor]) -> dict[str, Tensor]:
        del group
        wide = views["exp_avg"].dtype == torch.float64  # as torch counts, whose default it then is
        return {"step": torch.zeros((), dtype=torch.float64 if wide else torch.float32), **views}

    def _move(
        self, stacked: Stacked, state: dict[str, Tensor], numbers: dict[str, Tensor], step: int
    ) -> None:
        group = self.own[0].param_groups[0]
        (first, second), rate = group["betas"], numbers["rate"]
        mean, square, slopes = state["exp_avg"], state["exp_avg_sq"], stacked.slopes
        if numbers["weight_decay"].any():
            stacked.values.mul_(1 - rate * numbers["weight_decay"])
        mean.lerp_(slopes, 1 - first)
        square.mul_(second).addcmul_(slopes, slopes, value=1 - second)
        correction = (1 - second ** (step + 1)) ** 0.5
        torch.sqrt(square, out=slopes)
        slopes.div_(correction).add_(group["eps"])
        stacked.values.sub_(mean.div(slopes).mul_(rate / (1 - first ** (step + 1))))


def stacked_optimizer(
    parameters: Mapping[str, Stacked], own: Sequence[Optimizer], factor: Callable[[int], float]
) -> StackedOptimizer:
    """The stacked form of the members' optimisers."""
    kind = AdamW if isinstance(own[0], torch.optim.AdamW) else Sgd
    return kind(parameters, own, factor)


def _groups(optimizer: Optimizer) -> dict[Tensor, dict[str, Any]]:
    return {parameter: group for group in optimizer.param_groups for parameter in group["params"]}


def _column(groups: Sequence[Mapping[str, Any]], name: str, like: Tensor) -> Tensor:
    """A number a member, as broadcasts against [member, ...], in double precision until it is used."""
    numbers = torch.tensor([group[name] for group in groups], dtype=like.dtype, device=like.device)
    return numbers.view(-1, *[1] * (like.ndim - 1))
