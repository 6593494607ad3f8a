"""Dropout whose masks are a pure function of (key, layer, unit)."""

import math
from typing import final

from torch import nn

from seedbed.errors import ConfigError
from seedbed.shapes import Inputs, Keys
from seedbed.streams import bits


@final
class Dropout(nn.Module):
    """Sets each unit of each example to 0 with a probability, and scales the others to keep the mean.

    torch's own dropout draws from the state of a device, so that the mask of an example depends on
    its place in the batch, on the rank that holds it and on all that was drawn before. Here none of
    them matters: an example's key is made from (stream, epoch, index).

    Args:
        probability: that a unit is silenced, in [0, 1).
        layer: a number that no other dropout layer of the network has.

    Raises:
        ConfigError: for a probability outside [0, 1).

    Source: Srivastava et al. (2014), "Dropout: a simple way to prevent neural networks from
    overfitting", in the form that scales while training.
    """

    def __init__(self, probability: float, layer: int) -> None:
        super().__init__()
        if not 0.0 <= probability < 1.0:
            raise ConfigError(
                "model.dropout",
                expected="a probability in [0, 1)",
                got=str(probability),
                do="Give the share of units to silence; 0 for none.",
            )
        self.probability = probability
        self.layer = layer

    def forward(self, inputs: Inputs, keys: Keys | None) -> Inputs:
        if keys is None or self.probability == 0.0:
            return inputs
        # 32 random bits, read as a signed integer, lie below this with the probability.
        threshold = min(round(self.probability * 2**32), 2**32 - 1) - 2**31
        draws = bits(keys, math.prod(inputs.shape[1:]), self.layer)
        silenced = (draws < threshold).view(inputs.shape)
        return inputs.masked_fill(silenced, 0.0) * (1.0 / (1.0 - self.probability))

    def extra_repr(self) -> str:
        return f"probability={self.probability}, layer={self.layer}"
