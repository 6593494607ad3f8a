"""The small convolutional network: sizes it takes, and what it refuses."""

from typing import Any

import pytest
import torch
from torch.nn import functional

from seedbed.errors import ConfigError
from seedbed.model.cnn import Cnn


def cnn(input_shape: tuple[int, ...], **changes: Any) -> Cnn:
    given: dict[str, Any] = {"channels": [4, 6, 8], "hidden_features": 5, "dropout": 0.0} | changes
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Cnn(input_shape=input_shape, num_classes=10, **given).double()


@pytest.mark.parametrize("shape", [(1, 8, 8), (1, 28, 28), (3, 32, 32), (3, 9, 15), (2, 17, 64)])
@pytest.mark.parametrize("channels", [[4], [4, 6], [4, 6, 8]])
def test_logits_are_those_of_convolution_relu_and_pooling(
    shape: tuple[int, ...], channels: list[int]
) -> None:
    network = cnn(shape, channels=channels)
    inputs = torch.randn(3, *shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    weights = list(network.parameters())
    maps = inputs
    for stage in range(len(channels)):
        weight, bias = weights[2 * stage : 2 * stage + 2]
        maps = functional.max_pool2d(functional.conv2d(maps, weight, bias, padding=1).relu(), 2)
    hidden = functional.linear(maps.flatten(1), *weights[-4:-2]).relu()
    torch.testing.assert_close(network(inputs), functional.linear(hidden, *weights[-2:]))


def test_a_table_is_refused() -> None:
    with pytest.raises(ConfigError) as refusal:
        cnn((30,))
    assert str(refusal.value) == (
        "model=cnn: expected images of (channels, height, width), got examples of shape (30,). Choose"
        " model=logistic, softmax, one_vs_rest or mlp for a table, or data of images."
    )


def test_an_image_below_eight_pixels_is_refused() -> None:
    with pytest.raises(ConfigError) as refusal:
        cnn((1, 28, 7))
    assert str(refusal.value) == (
        "model=cnn: expected images of at least 8x8 pixels, got 28x7. Choose larger images"
        " (data.image_size of image_folder) or another model."
    )


@pytest.mark.parametrize(("side", "most"), [(8, 3), (15, 3), (16, 4), (32, 5)])
def test_more_stages_than_the_image_has_halvings_are_refused(side: int, most: int) -> None:
    assert cnn((1, side, side), channels=[2] * most)(torch.zeros(1, 1, side, side).double()).shape == (1, 10)
    with pytest.raises(ConfigError) as refusal:
        cnn((1, side, side), channels=[2] * (most + 1))
    assert str(refusal.value) == (
        f"model.channels: expected at most {most} stages for a side of {side} pixels, got {most + 1} stages."
        " Give fewer channels, or larger images."
    )


@pytest.mark.parametrize("changes", [{"channels": []}, {"channels": [4, 0]}, {"hidden_features": 0}])
def test_widths_are_positive(changes: dict[str, Any]) -> None:
    (name,) = changes
    with pytest.raises(ConfigError, match=rf"^model\.{name}: expected one width or more, each 1 or more"):
        cnn((1, 8, 8), **changes)
