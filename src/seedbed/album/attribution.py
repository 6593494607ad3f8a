"""What a network looks at: maps of an input, by captum. Positive speaks for the class asked about."""

import importlib
from collections.abc import Callable
from typing import Any, NamedTuple

from jaxtyping import Float
from torch import Tensor, nn

from seedbed.errors import PictureError
from seedbed.model.alexnet import Alexnet
from seedbed.model.cnn import Cnn
from seedbed.model.linear import Linear
from seedbed.model.network import Network
from seedbed.model.resnet9 import Resnet9
from seedbed.shapes import Inputs, Labels

Maps = Float[Tensor, "example row column"]
# Points of the integral along the straight line; Gauss-Legendre's are exact for polynomials of degree 63.
NUM_STEPS = 32
# Occluded squares a side; inputs handled at once, an eighth of a gigabyte of AlexNet's maps.
SQUARES, AT_ONCE = 7, 64
SMALL = 32  # pixels a side up to which squares overlap by half


class Question(NamedTuple):
    """What is asked of a network.

    Args:
        inputs: images as the network sees them, one or more.
        targets: the class that each map is about.
        baseline: one image that shows nothing.
    """

    inputs: Inputs
    targets: Labels
    baseline: Inputs


Method = Callable[[Network, Question], Maps]


def gradcam(network: Network, question: Question) -> Maps:
    """Where the last convolution's maps raise the class's logit, at the resolution of these maps.

    The relu of the maps' sum, each weighted by the mean of the logit's gradient with respect to it.

    Source: Selvaraju et al. (2017), "Grad-CAM: visual explanations from deep networks via
    gradient-based localization", equations 1 and 2.
    """
    layer = last_maps(network)
    assert layer is not None
    captum = _captum()
    inputs = question.inputs.detach()
    maps: Tensor = captum.LayerGradCam(network, layer).attribute(
        inputs, target=question.targets, relu_attributions=True
    )
    return maps.detach()[:, 0]


def integrated_gradients(network: Network, question: Question) -> Maps:
    """Each pixel's share of the logit's difference between the input and the baseline, channels summed.

    Over all pixels the shares sum to that difference, up to the error of the integral.

    Source: Sundararajan, Taly and Yan (2017), "Axiomatic attribution for deep networks", section 3.
    """
    captum = _captum()
    inputs = question.inputs.detach().requires_grad_()
    maps: Tensor = captum.IntegratedGradients(network).attribute(
        inputs,
        baselines=question.baseline,
        target=question.targets,
        n_steps=NUM_STEPS,
        method="gausslegendre",
        internal_batch_size=max(AT_ONCE, len(inputs)),
    )
    return maps.detach().sum(dim=1)


def occlusion(network: Network, question: Question) -> Maps:
    """How far the class's logit falls where a square is replaced by the baseline's.

    A pixel's value is the mean over the squares that cover it.

    Source: Zeiler and Fergus (2014), "Visualizing and understanding convolutional networks", section 4.2.
    """
    captum = _captum()
    channels, *sides = question.inputs.shape[1:]
    square, stride = window(min(sides))
    maps: Tensor = captum.Occlusion(network).attribute(
        question.inputs.detach(),
        sliding_window_shapes=(channels, square, square),
        strides=(channels, stride, stride),
        baselines=question.baseline,
        target=question.targets,
        perturbations_per_eval=max(1, AT_ONCE // len(question.inputs)),
    )
    return maps.detach()[:, 0]  # a square covers all channels, so that all have the same value


def window(side: int) -> tuple[int, int]:
    """Pixels along an occluded square, and from one square to the next.

    Args:
        side: pixels along the image's shorter side.

    Example:
        >>> window(8), window(28), window(224)
        ((2, 1), (4, 2), (32, 32))
    """
    square = max(2, round(side / SQUARES))
    return square, square // 2 if side <= SMALL else square


def last_maps(network: Network) -> nn.Module | None:
    """The last convolution of a network, in a residual one the block around it; None where there is none."""
    if isinstance(network, Cnn):
        return network.stages[-1]
    if isinstance(network, Resnet9):
        return network.third_residual
    return network.convolutions[-1] if isinstance(network, Alexnet) else None


def has_maps(network: Network) -> bool:
    """Whether Grad-CAM can be asked of it."""
    return last_maps(network) is not None


def is_deep(network: Network) -> bool:
    """Whether it has more to tell than the weights of a linear model, which are a map themselves."""
    return not isinstance(network, Linear)


def _captum() -> Any:
    try:
        return importlib.import_module("captum.attr")
    except ImportError as error:
        raise PictureError(
            "maps of what a network looks at",
            expected="the package captum",
            got=f"{type(error).__name__}: {error}",
            do="pip install 'seedbed[explain]'",
        ) from error
