"""The perceptron against NumPy, and what it refuses."""

from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import erf, expit

from seedbed.errors import ConfigError
from seedbed.model.mlp import Mlp

# The same float64 products summed in another order.
ROUNDING = 1e-12
ACTIVATIONS = {
    "relu": lambda x: np.maximum(x, 0),
    "tanh": np.tanh,
    "gelu": lambda x: x * (1 + erf(x / np.sqrt(2))) / 2,
    "sigmoid": expit,
}


def mlp(**changes: Any) -> Mlp:
    given: dict[str, Any] = {"hidden_features": [4, 3], "activation": "relu", "dropout": 0.0} | changes
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Mlp(input_shape=(2, 3), num_classes=5, **given).double()


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("hidden_features", [[4], [4, 3], [1, 7, 2]])
def test_logits_are_those_of_numpy(activation: str, hidden_features: list[int]) -> None:
    network = mlp(activation=activation, hidden_features=hidden_features)
    inputs = np.random.default_rng(0).normal(size=(8, 2, 3))
    units = inputs.reshape(8, 6)
    weights = [parameter.detach().numpy() for parameter in network.parameters()]
    for weight, bias in zip(weights[:-2:2], weights[1:-2:2], strict=True):
        units = ACTIVATIONS[activation](units @ weight.T + bias)
    expected = units @ weights[-2].T + weights[-1]
    np.testing.assert_allclose(
        network(torch.from_numpy(inputs)).detach().numpy(), expected, rtol=0, atol=ROUNDING
    )


def test_an_unknown_activation_lists_the_known_ones() -> None:
    with pytest.raises(ConfigError) as refusal:
        mlp(activation="swish")
    assert str(refusal.value) == (
        "model.activation: expected one of relu, tanh, gelu, sigmoid, got 'swish'. Choose one of them."
    )


@pytest.mark.parametrize("hidden_features", [[], [0], [8, -1]])
def test_widths_are_positive_and_there_is_one(hidden_features: list[int]) -> None:
    with pytest.raises(ConfigError) as refusal:
        mlp(hidden_features=hidden_features)
    assert str(refusal.value) == (
        f"model.hidden_features: expected one width or more, each 1 or more, got {hidden_features}."
        " Give positive widths; a model without a hidden layer is model=softmax."
    )


def test_a_dropout_out_of_range_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"^model\.dropout: expected a probability in \[0, 1\), got 1\.0"):
        mlp(dropout=1.0)
