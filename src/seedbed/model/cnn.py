"""A small convolutional network, for a channel or three, from 8x8 pixels upwards."""

from collections.abc import Sequence
from itertools import pairwise
from typing import final

from torch import nn
from torch.nn import functional

from seedbed.errors import ConfigError
from seedbed.model.dropout import Dropout
from seedbed.model.likelihood import Categorical
from seedbed.model.network import Network, check_positive, image_shape
from seedbed.shapes import Inputs, Keys, Logits

SMALLEST = 8


@final
class Cnn(Network):
    """Stages of 3x3 convolution, 2x2 max-pooling and relu; a hidden layer; a softmax head.

    Each stage halves height and width (rounding down), so the pooling is fixed and its gradient
    deterministic on every device.

    Args:
        input_shape: (channels, height, width), at least 8x8 pixels.
        num_classes: classes of the data.
        channels: output channels of each stage, first to last; n stages need 2^n pixels a side.
        hidden_features: width of the hidden fully connected layer.
        dropout: probability that a hidden unit is silenced while training, in [0, 1).

    Raises:
        ConfigError: for a table, too many stages, or a width or probability out of range.
    """

    likelihood = Categorical()

    def __init__(
        self,
        *,
        input_shape: Sequence[int],
        num_classes: int,
        channels: Sequence[int],
        hidden_features: int,
        dropout: float,
    ) -> None:
        super().__init__(input_shape=input_shape, num_classes=num_classes)
        depth, height, width = image_shape("cnn", input_shape, SMALLEST)
        check_positive("channels", channels)
        check_positive("hidden_features", (hidden_features,))
        height, width = (_pooled(len(channels), side) for side in (height, width))
        self.stages = nn.ModuleList(
            nn.Conv2d(before, after, kernel_size=3, padding=1)
            for before, after in pairwise([depth, *channels])
        )
        self.hidden = nn.Linear(channels[-1] * height * width, hidden_features)
        self.dropout = Dropout(dropout, layer=0)
        self.output = nn.Linear(hidden_features, self.num_logits)

    def forward(self, inputs: Inputs, keys: Keys | None = None) -> Logits:
        maps = inputs
        for convolution in self.stages:
            # The maximum of the relu is the relu of the maximum, on a quarter of the pixels.
            maps = functional.relu(functional.max_pool2d(convolution(maps), kernel_size=2))
        units = functional.relu(self.hidden(maps.flatten(1)))
        logits: Logits = self.output(self.dropout(units, keys))
        return logits


def _pooled(num_stages: int, side: int) -> int:
    if side >> num_stages == 0:
        raise ConfigError(
            "model.channels",
            expected=f"at most {side.bit_length() - 1} stages for a side of {side} pixels",
            got=f"{num_stages} stages",
            do="Give fewer channels, or larger images.",
        )
    return side >> num_stages
