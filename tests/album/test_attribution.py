"""Maps of what a network looks at, against their formulas by hand on networks of a few weights."""

import sys

import pytest
import torch
from captum.attr import IntegratedGradients
from torch import Tensor
from torch.nn import functional

from seedbed.album import attribution
from seedbed.album.attribution import NUM_STEPS, Question, gradcam, integrated_gradients, occlusion, window
from seedbed.errors import PictureError
from seedbed.model.alexnet import Alexnet
from seedbed.model.cnn import Cnn
from seedbed.model.linear import Softmax
from seedbed.model.mlp import Mlp
from seedbed.model.network import Network
from seedbed.model.resnet9 import Resnet9

# Sums of a few hundred numbers in another order; captum's own constants have nine digits, and its
# occlusion ends in 32 bits.
ROUNDING, CAPTUM_ROUNDING, SINGLE = 1e-10, 1e-8, 1e-6
# Of the integral, as a share of it: smooth networks are integrated exactly, a relu has kinks between points.
SMOOTH, KINKED = 1e-6, 0.1


def cnn(channels: int = 1) -> Cnn:
    torch.manual_seed(1)
    return Cnn(
        input_shape=(channels, 8, 8), num_classes=3, channels=[4, 5], hidden_features=6, dropout=0.0
    ).double()


def mlp() -> Mlp:
    torch.manual_seed(2)
    return Mlp(
        input_shape=(1, 8, 8), num_classes=3, hidden_features=[7], activation="tanh", dropout=0.0
    ).double()


def question(channels: int = 1, count: int = 5) -> Question:
    generator = torch.Generator().manual_seed(3)
    inputs = torch.rand(count, channels, 8, 8, generator=generator, dtype=torch.float64)
    targets = torch.arange(count) % 3
    return Question(inputs, targets, torch.full((1, channels, 8, 8), -0.2, dtype=torch.float64))


def logits_of(network: Network, asked: Question, inputs: Tensor) -> Tensor:
    with torch.no_grad():
        logits: Tensor = network(inputs)
    return logits.gather(1, asked.targets[:, None])[:, 0]


@pytest.mark.parametrize("channels", [1, 3])
def test_gradcam_is_the_relu_of_the_maps_weighted_by_their_mean_gradients(channels: int) -> None:
    network, asked = cnn(channels), question(channels)
    first, last = network.stages
    maps = last(functional.relu(functional.max_pool2d(first(asked.inputs), 2)))
    units = functional.relu(network.hidden(functional.relu(functional.max_pool2d(maps, 2)).flatten(1)))
    chosen = network.output(units).gather(1, asked.targets[:, None]).sum()
    (gradient,) = torch.autograd.grad(chosen, maps)
    by_hand = functional.relu((gradient.mean(dim=(2, 3), keepdim=True) * maps).sum(dim=1))
    found = gradcam(network, asked)
    assert found.shape == (5, 4, 4)
    assert (found > 0).any()
    torch.testing.assert_close(found, by_hand.detach(), rtol=0, atol=ROUNDING)


@pytest.mark.parametrize(
    ("network", "channels", "tolerance"), [(cnn(1), 1, KINKED), (cnn(3), 3, KINKED), (mlp(), 1, SMOOTH)]
)
def test_integrated_gradients_sum_to_what_the_input_adds_to_the_logit(
    network: Network, channels: int, tolerance: float
) -> None:
    asked = question(channels)
    found = integrated_gradients(network, asked)
    assert found.shape == (5, 8, 8)
    baseline = asked.baseline.expand_as(asked.inputs)
    added = logits_of(network, asked, asked.inputs) - logits_of(network, asked, baseline)
    missing = found.sum(dim=(1, 2)) - added
    _, told = IntegratedGradients(network).attribute(
        asked.inputs,
        baselines=asked.baseline,
        target=asked.targets,
        n_steps=NUM_STEPS,
        return_convergence_delta=True,
    )
    torch.testing.assert_close(missing, told, rtol=0, atol=ROUNDING)
    assert missing.abs().max() < tolerance * added.abs().max()


def test_integrated_gradients_of_a_linear_model_are_weight_times_input() -> None:
    network, asked = Softmax(input_shape=(1, 8, 8), num_classes=3).double(), question()
    weights = network.linear.weight.detach()[asked.targets].view(-1, 8, 8)
    by_hand = weights * (asked.inputs - asked.baseline)[:, 0]
    torch.testing.assert_close(integrated_gradients(network, asked), by_hand, rtol=0, atol=CAPTUM_ROUNDING)


@pytest.mark.parametrize("channels", [1, 3])
def test_occlusion_is_the_mean_fall_over_the_squares_that_cover_a_pixel(channels: int) -> None:
    network, asked = cnn(channels), question(channels)
    square, stride = window(8)
    whole = logits_of(network, asked, asked.inputs)
    falls, cover = torch.zeros(5, 8, 8, dtype=torch.float64), torch.zeros(8, 8)
    for top in range(0, 8 - square + 1, stride):
        for left in range(0, 8 - square + 1, stride):
            here = (slice(top, top + square), slice(left, left + square))
            blackened = asked.inputs.clone()
            blackened[:, :, here[0], here[1]] = -0.2
            fall = whole - logits_of(network, asked, blackened)
            falls[:, here[0], here[1]] += fall[:, None, None]
            cover[here] += 1
    assert cover.min() >= 1
    found = occlusion(network, asked).double()
    torch.testing.assert_close(found, falls / cover, rtol=0, atol=SINGLE)


@pytest.mark.parametrize("side", [8, 16, 28, 32, 63, 96, 224])
def test_squares_cover_an_image_with_few_evaluations(side: int) -> None:
    square, stride = window(side)
    assert 1 <= stride <= square <= side
    assert len(range(0, side, stride)) ** 2 <= 16**2


def test_the_last_maps_are_those_before_the_linear_layers() -> None:
    residual = Resnet9(input_shape=(3, 16, 16), num_classes=3, width=2, whitening=False)
    assert attribution.last_maps(residual) is residual.third_residual
    with torch.device("meta"):  # its real size, without its memory
        alexnet = Alexnet(input_shape=(3, 63, 63), num_classes=3, variant="two_groups", dropout=0.0)
    assert attribution.last_maps(alexnet) is alexnet.convolutions[-1]
    assert attribution.last_maps(mlp()) is None
    assert not attribution.is_deep(Softmax(input_shape=(4,), num_classes=3))


def test_where_captum_is_missing_the_error_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "captum.attr", None)
    with pytest.raises(PictureError, match=r"expected the package captum, got .*captum") as caught:
        gradcam(cnn(), question())
    assert caught.value.do == "pip install 'seedbed[explain]'"
