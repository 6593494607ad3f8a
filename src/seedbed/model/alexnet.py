"""The network of Krizhevsky, Sutskever and Hinton (2012), as published and as torchvision has it."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple, final

from torch import Tensor, nn
from torch.nn import functional

from seedbed.errors import ConfigError
from seedbed.model.dropout import Dropout
from seedbed.model.likelihood import Categorical
from seedbed.model.network import Network, image_shape
from seedbed.shapes import Inputs, Keys, Logits

# Below this the last pooling has nothing to pool.
SMALLEST = 63
HIDDEN_FEATURES = 4096
KERNELS = (11, 5, 3, 3, 3)
STRIDES = (4, 1, 1, 1, 1)
PADDINGS = (2, 2, 1, 1, 1)
POOLED_AFTER = (0, 1, 4)
NORMALISED_AFTER = (0, 1)


class Variant(NamedTuple):
    """What the two forms do not share."""

    channels: tuple[int, ...]
    groups: tuple[int, ...]
    normalised: bool
    dropout_first: bool


VARIANTS: Mapping[str, Variant] = {
    "two_groups": Variant((96, 256, 384, 384, 256), (1, 2, 1, 2, 2), normalised=True, dropout_first=False),
    "torchvision": Variant((64, 192, 384, 256, 256), (1, 1, 1, 1, 1), normalised=False, dropout_first=True),
}


@final
class Alexnet(Network):
    """Five convolutions, three of them with max-pooling, three fully connected layers, softmax.

    The paper's 224 pixels do not fit its own strides without padding; with two pixels of it, as here
    and in torchvision, 224 and 227 both leave 6x6 maps and so the published number of parameters. No
    adaptive pooling: images of another size, 63 pixels or more, get a first fully connected layer of
    their own size, and thus another number of parameters. Weights start from torch's initialisers,
    not from the paper's.

    Args:
        input_shape: (channels, height, width).
        num_classes: classes of the data.
        variant: two_groups (2012, split over two GPUs, with response normalisation) or torchvision
            (one tower, from "One weird trick", Krizhevsky 2014).
        dropout: probability that a unit is silenced while training: in two_groups of the first two
            fully connected layers' outputs, in torchvision of their inputs.

    Raises:
        ConfigError: for a table, a small image, an unknown variant or a probability out of range.

    Source: Krizhevsky, Sutskever and Hinton (2012), "ImageNet classification with deep
    convolutional neural networks", sections 3.3 to 3.5 and 4.2.
    """

    likelihood = Categorical()

    def __init__(self, *, input_shape: Sequence[int], num_classes: int, variant: str, dropout: float) -> None:
        super().__init__(input_shape=input_shape, num_classes=num_classes)
        depth, height, width = image_shape("alexnet", input_shape, SMALLEST)
        self.variant = _variant(variant)
        self.convolutions = _convolutions(depth, self.variant)
        num_features = self.variant.channels[-1] * _side_left(height) * _side_left(width)
        widths = [num_features, HIDDEN_FEATURES, HIDDEN_FEATURES]
        self.hidden = nn.ModuleList(nn.Linear(before, after) for before, after in pairwise(widths))
        self.dropout = nn.ModuleList(Dropout(dropout, layer) for layer in range(len(self.hidden)))
        self.output = nn.Linear(HIDDEN_FEATURES, self.num_logits)

    def forward(self, inputs: Inputs, keys: Keys | None = None) -> Logits:
        maps = inputs
        for place, convolution in enumerate(self.convolutions):
            maps = functional.relu(convolution(maps))
            if self.variant.normalised and place in NORMALISED_AFTER:
                maps = response_normalised(maps)
            if place in POOLED_AFTER:
                maps = functional.max_pool2d(maps, kernel_size=3, stride=2)
        logits: Logits = self.output(self._hidden_units(maps.flatten(1), keys))
        return logits

    def _hidden_units(self, units: Tensor, keys: Keys | None) -> Tensor:
        for linear, dropout in zip(self.hidden, self.dropout, strict=True):
            if self.variant.dropout_first:
                units = functional.relu(linear(dropout(units, keys)))
            else:
                units = dropout(functional.relu(linear(units)), keys)
        return units


def response_normalised(maps: Tensor) -> Tensor:
    """Each activity over (2 + 1e-4 * sum of squares over five neighbouring channels)^0.75.

    torch divides its alpha by the five; the paper does not.

    Source: Krizhevsky, Sutskever and Hinton (2012), section 3.3.
    """
    return functional.local_response_norm(maps, size=5, alpha=5 * 1e-4, beta=0.75, k=2.0)


def _variant(name: str) -> Variant:
    if name not in VARIANTS:
        raise ConfigError(
            "model.variant",
            expected="one of " + ", ".join(VARIANTS),
            got=repr(name),
            do="Choose one of them.",
        )
    return VARIANTS[name]


def _convolutions(depth: int, variant: Variant) -> nn.ModuleList:
    ends = pairwise([depth, *variant.channels])
    return nn.ModuleList(
        nn.Conv2d(
            before, after, KERNELS[place], STRIDES[place], PADDINGS[place], groups=variant.groups[place]
        )
        for place, (before, after) in enumerate(ends)
    )


def _side_left(pixels: int) -> int:
    """Height or width of the maps that the first fully connected layer sees: 6 for 224 and 227."""
    side = (pixels + 2 * PADDINGS[0] - KERNELS[0]) // STRIDES[0] + 1
    for _ in POOLED_AFTER:
        side = (side - 3) // 2 + 1
    return side
