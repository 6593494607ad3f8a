"""The contract of every network: inputs to logits, with a likelihood that says what they mean."""

import abc
from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar

from torch import Tensor, nn

from seedbed.errors import ConfigError
from seedbed.model.likelihood import Likelihood
from seedbed.shapes import Inputs, Keys, Logits


class Network(nn.Module, abc.ABC):
    """A map from inputs to logits; its classes are final.

    Args:
        input_shape: axes of one example: (column,) of a table, (channel, height, width) of an image.
        num_classes: classes of the data, 2 or more.
    """

    likelihood: ClassVar[Likelihood]
    takes_codes: ClassVar[bool] = False
    """Whether inputs are codes of categories, not numbers."""

    def __init__(self, *, input_shape: Sequence[int], num_classes: int) -> None:
        super().__init__()
        self.input_shape = tuple(input_shape)
        self.num_classes = num_classes
        self.num_logits = self.likelihood.num_logits(num_classes)

    @abc.abstractmethod
    def forward(self, inputs: Inputs, keys: Keys | None = None) -> Logits:
        """Logits of each example.

        Args:
            inputs: a batch, of no example where a process has no share of it.
            keys: a random key for each example, from which dropout masks are derived; None silences
                no unit, which is how a network is evaluated.
        """

    def look(self, inputs: Iterable[Tensor]) -> None:
        """Sets what depends on the inputs and is not trained, once, before the first step.

        Args:
            inputs: batches of the training split, not augmented, in file order.
        """

    def penalised(self) -> Iterator[nn.Parameter]:
        """Weights of linear, convolutional and embedding layers, never biases or normalisation scales.

        The former are the parameters with an input and an output axis.
        """
        return (parameter for parameter in self.parameters() if parameter.ndim > 1)


def image_shape(model: str, input_shape: Sequence[int], smallest: int) -> tuple[int, int, int]:
    """Channels, height and width of an image that a convolutional network can take.

    Args:
        model: the network's name in `conf/model`, for the message.
        input_shape: axes of one example.
        smallest: least height and width in pixels.

    Raises:
        ConfigError: for a table, and for an image that is too small.
    """
    if len(input_shape) != 3:
        raise ConfigError(
            f"model={model}",
            expected="images of (channels, height, width)",
            got=f"examples of shape {tuple(input_shape)}",
            do="Choose model=logistic, softmax, one_vs_rest or mlp for a table, or data of images.",
        )
    channels, height, width = input_shape
    if min(height, width) < smallest:
        raise ConfigError(
            f"model={model}",
            expected=f"images of at least {smallest}x{smallest} pixels",
            got=f"{height}x{width}",
            do="Choose larger images (data.image_size of image_folder) or another model.",
        )
    return channels, height, width


def check_positive(name: str, values: Sequence[int]) -> None:
    """Refuses an empty list of widths, and widths below 1.

    Raises:
        ConfigError: naming the key.
    """
    if not values or min(values) < 1:
        raise ConfigError(
            f"model.{name}",
            expected="one width or more, each 1 or more",
            got=str(list(values)),
            do="Give positive widths; a model without a hidden layer is model=softmax.",
        )
