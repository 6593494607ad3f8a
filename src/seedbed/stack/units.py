"""What lies between two layers of a stack: slopes of activations, dropout of each member's own rate."""

from collections.abc import Callable, Sequence
from typing import Any, final

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn import functional

from seedbed.streams import bits

Units = Float[Tensor, "batch member unit"]
Keys = Int64[Tensor, "batch #member"]


def slope_of(activation: Callable[[Tensor], Tensor], before: Units, after: Units, slopes: Units) -> Units:
    """The slopes by what an activation was given.

    Args:
        activation: one of `seedbed.model.mlp.ACTIVATIONS`.
        before: what it was given.
        after: what it made of it.
        slopes: by what it made of it.
    """
    if activation is functional.relu:
        return slopes * (after > 0)
    if activation is functional.tanh:
        return slopes * (1 - after * after)
    if activation is functional.sigmoid:
        return slopes * after * (1 - after)
    assert activation is functional.gelu
    found: Units = torch.ops.aten.gelu_backward(slopes, before)
    return found


@final
class Dropouts:
    """One dropout layer of all members; as `seedbed.model.dropout`, each with its own probability.

    Args:
        own: the members' layers, of the same number.
    """

    def __init__(self, own: Sequence[Any]) -> None:
        self._layer = own[0].layer
        self._probabilities = [dropout.probability for dropout in own]

    @property
    def drops(self) -> bool:
        return any(self._probabilities)

    def factors(self, keys: Keys, like: Units) -> Units:
        """0 where a unit is silenced, else what keeps its mean.

        Args:
            keys: of the examples, the same for all members or each member's own.
            like: units of the shape that is wanted.
        """
        draws = bits(keys.reshape(-1), like.shape[-1], self._layer).view(*keys.shape, -1)
        thresholds = [min(round(share * 2**32), 2**32 - 1) - 2**31 for share in self._probabilities]
        silenced = draws < torch.tensor(thresholds, device=keys.device, dtype=torch.int64)[:, None]
        scales = [1.0 / (1.0 - share) for share in self._probabilities]
        scale = torch.tensor(scales, device=like.device, dtype=like.dtype)[:, None]
        return torch.where(silenced, 0.0, scale)

    def keep(self, places: Sequence[int]) -> None:
        self._probabilities = [self._probabilities[place] for place in places]
