"""Which weights are the first layer's, in every network."""

import pytest
import torch

from seedbed.album.filters import COMPUTED, TRAINED, filters, first_layer
from seedbed.model.alexnet import Alexnet
from seedbed.model.cnn import Cnn
from seedbed.model.linear import Softmax
from seedbed.model.mlp import Mlp
from seedbed.model.network import Network
from seedbed.model.resnet9 import Resnet9
from seedbed.reproduce.check import Subject

ROUNDING = 1e-6  # of single precision


def mlp(*shape: int) -> Mlp:
    return Mlp(input_shape=shape, num_classes=3, hidden_features=[70], activation="relu", dropout=0.0)


def resnet(whitening: bool) -> Resnet9:
    return Resnet9(input_shape=(3, 16, 16), num_classes=3, width=5, whitening=whitening)


def small() -> Cnn:
    return Cnn(input_shape=(1, 8, 8), num_classes=3, channels=[6], hidden_features=5, dropout=0.0)


@pytest.mark.parametrize(
    ("network", "shape", "count", "word", "told"),
    [
        (mlp(1, 8, 8), (64, 1, 8, 8), 70, "units", TRAINED),
        (mlp(3, 4, 5), (64, 3, 4, 5), 70, "units", TRAINED),
        (small(), (6, 1, 3, 3), 6, "kernels", TRAINED),
        (resnet(False), (5, 3, 3, 3), 5, "kernels", TRAINED),
        (resnet(True), (54, 3, 3, 3), 54, "kernels", COMPUTED),
    ],
)
def test_the_first_weights_are_found(
    network: Network, shape: tuple[int, ...], count: int, word: str, told: str
) -> None:
    found = first_layer(network)
    assert found is not None
    assert found.weights.shape == shape
    assert (found.num_units, found.unit_word, found.told) == (count, word, told)


def test_alexnet_s_first_kernels_have_eleven_pixels_a_side() -> None:
    with torch.device("meta"):  # its real size, without its memory
        network = Alexnet(input_shape=(3, 63, 63), num_classes=3, variant="torchvision", dropout=0.0)
    network.convolutions[0] = network.convolutions[0].to_empty(device="cpu")
    found = first_layer(network)
    assert found is not None
    assert found.weights.shape == (64, 3, 11, 11)


def test_a_pixel_s_weight_stands_where_the_pixel_is() -> None:
    network = mlp(1, 2, 3)
    image = torch.zeros(1, 1, 2, 3)
    image[0, 0, 1, 2] = 1
    reached = network.hidden[0](image.flatten(1)) - network.get_parameter("hidden.0.bias")
    found = first_layer(network)
    assert found is not None
    assert found.weights[7, 0, 1, 2] == pytest.approx(float(reached[0, 7].detach()), abs=ROUNDING)


@pytest.mark.parametrize("network", [mlp(8), Softmax(input_shape=(1, 8, 8), num_classes=3)])
def test_a_table_and_a_linear_model_have_no_filters(network: Network) -> None:
    assert first_layer(network) is None


def test_a_run_s_filters_are_drawn_from_its_record(cnn: Subject) -> None:
    picture = filters(cnn)
    assert picture is not None
    assert "kernels: n = 16 of 16" in picture.svg
    assert "all 16 are shown" in picture.caption
    files = {name: path for name, path in cnn.files.items() if not name.startswith("model/")}
    assert filters(cnn._replace(files=files)) is None
