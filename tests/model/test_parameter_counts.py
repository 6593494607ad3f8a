"""Networks have as many parameters as the literature says."""

from typing import Any

import pytest
import torch

from seedbed.model.alexnet import Alexnet
from seedbed.model.cnn import Cnn
from seedbed.model.linear import Logistic, OneVsRest, Softmax
from seedbed.model.mlp import Mlp
from seedbed.model.network import Network
from seedbed.model.resnet9 import Resnet9

LECTURE = {"hidden_features": [4], "activation": "sigmoid", "dropout": 0.0}
DEFAULT_CNN = {"channels": [16, 32, 64], "hidden_features": 320, "dropout": 0.0}
TWO_GROUPS = {"variant": "two_groups", "dropout": 0.5}
TORCHVISION = {"variant": "torchvision", "dropout": 0.5}

CASES: list[tuple[type[Network], tuple[int, ...], int, dict[str, Any], int]] = [
    (Logistic, (1,), 2, {}, 2),  # CHD by age
    (Logistic, (30,), 2, {}, 31),  # breast cancer
    (Softmax, (1, 8, 8), 10, {}, 650),
    (Softmax, (1, 28, 28), 10, {}, 7_850),
    (OneVsRest, (1, 28, 28), 10, {}, 7_850),
    (Softmax, (3, 32, 32), 10, {}, 30_730),
    (Mlp, (3,), 2, LECTURE, 26),
    (Cnn, (1, 28, 28), 10, DEFAULT_CNN, 211_146),
    (Resnet9, (3, 32, 32), 10, {"width": 64, "whitening": False}, 6_573_130),
    (Alexnet, (3, 224, 224), 1000, TWO_GROUPS, 60_965_224),
    (Alexnet, (3, 227, 227), 1000, TWO_GROUPS, 60_965_224),
    (Alexnet, (3, 224, 224), 1000, TORCHVISION, 61_100_840),
    (Alexnet, (3, 224, 224), 10, TORCHVISION, 57_044_810),
]


@pytest.mark.parametrize(("network", "shape", "num_classes", "arguments", "count"), CASES)
def test_parameter_count(
    network: type[Network], shape: tuple[int, ...], num_classes: int, arguments: dict[str, Any], count: int
) -> None:
    with torch.device("meta"):
        built = network(input_shape=shape, num_classes=num_classes, **arguments)
    assert sum(parameter.numel() for parameter in built.parameters()) == count
