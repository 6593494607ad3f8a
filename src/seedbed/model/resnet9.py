"""A residual network of nine layers for small colour images."""

from collections.abc import Iterable, Sequence
from typing import final

from torch import Tensor, nn
from torch.nn import functional

from seedbed.model.likelihood import Categorical
from seedbed.model.network import Network, check_positive, image_shape
from seedbed.model.normalisation import BatchNorm
from seedbed.model.whitening import Whitening
from seedbed.shapes import Inputs, Keys, Logits

# The deepest maps are an eighth of the image; batch statistics need more than one pixel there.
SMALLEST = 16
# Factor on the logits, which keeps the first losses of a large learning rate small.
LOGIT_SCALE = 0.125


@final
class Resnet9(Network):
    """Eight 3x3 convolutions with batch normalisation, two residual blocks, a linear layer, softmax.

    The last pooling takes the maximum over all pixels that are left (4x4 for 32x32 images), by a
    window of that fixed size, so its gradient is deterministic on every device. Batch normalisation
    makes the logits of an example depend on its batch while training; in evaluation they do not.

    Args:
        input_shape: (channels, height, width), at least 16x16 pixels.
        num_classes: classes of the data.
        width: channels of the first convolution; the deepest has eight times as many.
        whitening: whether the first convolution sees the images through a fixed `Whitening`.

    Raises:
        ConfigError: for a table, a small image, or a width below 1.

    Source: Page (2018), "How to train your ResNet", the DAWNBench network, with its logit scale.
    """

    likelihood = Categorical()

    def __init__(self, *, input_shape: Sequence[int], num_classes: int, width: int, whitening: bool) -> None:
        super().__init__(input_shape=input_shape, num_classes=num_classes)
        depth, rows, columns = image_shape("resnet9", input_shape, SMALLEST)
        check_positive("width", (width,))
        self.whitening = Whitening(depth) if whitening else None
        self.stem = _Convolution(depth if self.whitening is None else self.whitening.num_maps, width)
        self.first = _Convolution(width, 2 * width)
        self.first_residual = _Residual(2 * width)
        self.second = _Convolution(2 * width, 4 * width)
        self.third = _Convolution(4 * width, 8 * width)
        self.third_residual = _Residual(8 * width)
        self.window = (rows // 8, columns // 8)
        self.output = nn.Linear(8 * width, self.num_logits)

    def look(self, inputs: Iterable[Tensor]) -> None:
        if self.whitening is not None:
            self.whitening.look(inputs)

    def forward(self, inputs: Inputs, keys: Keys | None = None) -> Logits:  # noqa: ARG002 (no dropout)
        seen = inputs if self.whitening is None else self.whitening(inputs)
        maps = _halved(self.first(self.stem(seen)))
        maps = _halved(self.second(self.first_residual(maps)))
        maps = self.third_residual(_halved(self.third(maps)))
        peaks = functional.max_pool2d(maps, self.window).flatten(1)
        logits: Logits = self.output(peaks) * LOGIT_SCALE
        return logits


def _halved(maps: Tensor) -> Tensor:
    return functional.max_pool2d(maps, kernel_size=2)


@final
class _Convolution(nn.Module):
    """3x3 convolution, batch normalisation, relu; the normalisation's shift is the bias."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(before, after, kernel_size=3, padding=1, bias=False)
        self.normalisation = BatchNorm(after)

    def forward(self, maps: Tensor) -> Tensor:
        return functional.relu(self.normalisation(self.convolution(maps)))


@final
class _Residual(nn.Module):
    """Its input plus two convolutions of it."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = _Convolution(channels, channels)
        self.second = _Convolution(channels, channels)

    def forward(self, maps: Tensor) -> Tensor:
        residual: Tensor = self.second(self.first(maps))
        return maps + residual
