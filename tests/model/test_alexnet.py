"""Both forms of AlexNet against torchvision and against the paper's own formulas."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional
from torchvision.models import alexnet as published

from seedbed.errors import ConfigError
from seedbed.graph.scene import random_images
from seedbed.model.alexnet import Alexnet, response_normalised
from seedbed.model.dropout import Dropout
from seedbed.streams import example_keys
from tests.conftest import MakeJob

# The same float32 sums of up to 9,216 products, in another memory format and so in another order.
ROUNDING = 1e-5


def alexnet(**changes: Any) -> Alexnet:
    given: dict[str, Any] = {"input_shape": (3, 63, 63), "variant": "two_groups", "dropout": 0.5} | changes
    return Alexnet(num_classes=10, **given)


def test_the_torchvision_form_gives_torchvisions_logits() -> None:
    ours = alexnet(input_shape=(3, 224, 224), variant="torchvision").eval()
    with torch.device("meta"):
        theirs = published(num_classes=10).eval()
    names = theirs.state_dict().keys()
    theirs.load_state_dict(dict(zip(names, ours.state_dict().values(), strict=True)), assign=True)
    images = torch.randn(2, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(ours(images), theirs(images), rtol=ROUNDING, atol=ROUNDING)


def test_response_normalisation_is_the_papers() -> None:
    activities = np.random.default_rng(0).normal(size=(2, 9, 3, 4)) * 50
    squares = np.stack(
        [(activities[:, max(0, i - 2) : i + 3] ** 2).sum(axis=1) for i in range(activities.shape[1])], axis=1
    )
    expected = activities / (2 + 1e-4 * squares) ** 0.75
    np.testing.assert_allclose(response_normalised(torch.from_numpy(activities)).numpy(), expected)


@pytest.mark.parametrize("variant", ["two_groups", "torchvision"])
def test_layers_follow_one_another_as_published(variant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seedbed.model.alexnet.HIDDEN_FEATURES", 16)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = alexnet(variant=variant).double()
    generator = torch.Generator().manual_seed(0)
    maps = torch.randn(4, 3, 63, 63, generator=generator, dtype=torch.float64) * 50
    keys = example_keys(0, 0, torch.arange(4))
    logits = network(maps, keys)
    weights = list(network.parameters())
    for layer in range(5):
        groups = 2 if variant == "two_groups" and layer in (1, 3, 4) else 1
        stride, padding = (4 if layer == 0 else 1), (2 if layer < 2 else 1)
        weight, bias = weights[2 * layer : 2 * layer + 2]
        maps = functional.conv2d(maps, weight, bias, stride, padding, groups=groups).relu()
        if variant == "two_groups" and layer < 2:
            maps = response_normalised(maps)
        if layer in (0, 1, 4):
            maps = functional.max_pool2d(maps, 3, 2)
    units = maps.flatten(1)
    for layer, pair in enumerate((weights[10:12], weights[12:14])):
        if variant == "two_groups":
            units = Dropout(0.5, layer)(functional.linear(units, *pair).relu(), keys)
        else:
            units = functional.linear(Dropout(0.5, layer)(units, keys), *pair).relu()
    torch.testing.assert_close(logits, functional.linear(units, *weights[14:]))


def test_each_tower_of_the_second_layer_sees_its_own_half() -> None:
    with torch.device("meta"):
        shapes = [tuple(weight.shape) for weight in alexnet().convolutions.parameters() if weight.ndim > 1]
    assert shapes == [(96, 3, 11, 11), (256, 48, 5, 5), (384, 256, 3, 3), (384, 192, 3, 3), (256, 192, 3, 3)]


@pytest.mark.parametrize("variant", ["two_groups", "torchvision"])
@pytest.mark.parametrize(("height", "width"), [(63, 63), (64, 100), (227, 224)])
def test_images_of_many_sizes_give_logits(variant: str, height: int, width: int) -> None:
    with torch.device("meta"):
        network = alexnet(input_shape=(1, height, width), variant=variant)
        assert network(torch.zeros(2, 1, height, width)).shape == (2, 10)


def test_an_unknown_variant_lists_the_known_ones() -> None:
    with pytest.raises(ConfigError) as refusal:
        alexnet(variant="one_tower")
    assert str(refusal.value) == (
        "model.variant: expected one of two_groups, torchvision, got 'one_tower'. Choose one of them."
    )


@pytest.mark.parametrize(
    ("input_shape", "text"),
    [
        ((30,), "model=alexnet: expected images of (channels, height, width), got examples of shape (30,)."),
        ((3, 224, 62), "model=alexnet: expected images of at least 63x63 pixels, got 224x62."),
    ],
)
def test_what_it_cannot_take_is_refused(input_shape: tuple[int, ...], text: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        alexnet(input_shape=input_shape)
    assert str(refusal.value).startswith(text)


# 61 million weights, gradients and velocities: 0.7 GiB.
@pytest.mark.slow
def test_a_training_step_of_the_published_size(make_job: MakeJob) -> None:
    _, network, objective, batch, keys = random_images(make_job("model=alexnet"), (3, 224, 224), 1000)
    before = [parameter.detach().clone() for parameter in network.parameters()]
    # Learning rate, momentum and decay of section 5.
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9, weight_decay=0.0005)
    losses = []
    for _ in range(2):
        loss = objective.share(network, network(batch.inputs, keys), batch)
        losses.append(loss.item())
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
    assert losses[0] == pytest.approx(math.log(1000), rel=0.01)
    assert losses[1] < losses[0]
    assert sum(map(torch.numel, before)) == 60_965_224
    for old, new in zip(before, network.parameters(), strict=True):
        assert new.isfinite().all()
        assert not new.equal(old)
