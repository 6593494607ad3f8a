"""Weight decay acts on the weights and on nothing else; every optimiser in `conf/` takes a step."""

from functools import partial
from typing import Any

import pytest
import torch
from hydra.utils import instantiate
from omegaconf import OmegaConf
from torch import nn

from seedbed.config import folder
from seedbed.optim.groups import parameter_groups

OPTIMIZERS = sorted(path.stem for path in (folder() / "optimizer").glob("*.yaml"))


def network() -> nn.Sequential:
    """A network with weights, biases and a normalisation, all of them 1."""
    layers = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))
    for parameter in layers.parameters():
        nn.init.ones_(parameter)
    return layers


def weights(layers: nn.Sequential) -> list[nn.Parameter]:
    return [parameter for parameter in layers.parameters() if parameter.ndim > 1]


def make(name: str, **changes: Any) -> Any:
    """The partial that Hydra makes of a file in `conf/optimizer`."""
    settings = OmegaConf.to_container(OmegaConf.load(folder() / "optimizer" / f"{name}.yaml"))
    assert isinstance(settings, dict)
    del settings["defaults"]
    return instantiate({**settings, **changes}, _convert_="all")


@pytest.mark.parametrize("name", ["adamw", "sgd"])
def test_decay_shrinks_the_weights_and_never_biases_or_normalisation(name: str) -> None:
    layers = network()
    make_optimizer = make(name, lr=0.1, weight_decay=0.5)
    optimizer = make_optimizer(parameter_groups(layers, weights(layers), make_optimizer))
    for parameter in layers.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    decayed = {id(weight) for weight in weights(layers)}
    for parameter in layers.parameters():
        expected = 1 - 0.1 * 0.5 if id(parameter) in decayed else 1.0
        assert torch.equal(parameter, torch.full_like(parameter, expected))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_in_conf_takes_a_step_downhill(name: str) -> None:
    # The first step of these two is about lr long, however small the gradient.
    changes = {"lr": 0.01} if name in ("adagrad", "ftrl") else {}
    layers, make_optimizer = network(), make(name, **changes)
    optimizer = make_optimizer(parameter_groups(layers, weights(layers), make_optimizer))
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(20, 3, generator=generator)
    labels = torch.randint(2, (20,), generator=generator)

    def objective() -> torch.Tensor:
        optimizer.zero_grad()
        value = nn.functional.cross_entropy(layers(inputs), labels)
        value.backward()  # type: ignore[no-untyped-call]
        return value

    before = optimizer.step(objective)
    assert objective() < before


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_what_an_optimizer_keeps_is_plain_enough_for_a_checkpoint(name: str) -> None:
    layers, make_optimizer = network(), make(name)
    optimizer = make_optimizer(parameter_groups(layers, weights(layers), make_optimizer))
    plain = (bool, int, float, str, type(None), list, tuple, torch.Tensor)
    for group in optimizer.state_dict()["param_groups"]:
        assert all(type(value) in plain for value in group.values())


def test_every_parameter_is_in_exactly_one_group() -> None:
    layers = network()
    groups = parameter_groups(layers, weights(layers), partial(torch.optim.SGD, lr=0.1))
    grouped = [id(parameter) for group in groups for parameter in group["params"]]  # type: ignore[index]
    assert sorted(grouped) == sorted(id(parameter) for parameter in layers.parameters())


def test_a_frozen_parameter_is_in_no_group() -> None:
    layers = network()
    layers[0].requires_grad_(False)
    groups = parameter_groups(layers, weights(layers), torch.optim.SGD)
    grouped = {id(parameter) for group in groups for parameter in group["params"]}  # type: ignore[index]
    assert not grouped & {id(parameter) for parameter in layers[0].parameters()}


@pytest.mark.parametrize("make_optimizer", [torch.optim.LBFGS, partial(torch.optim.LBFGS, lr=1.0)])
def test_lbfgs_gets_one_flat_list(make_optimizer: Any) -> None:
    layers = network()
    assert parameter_groups(layers, weights(layers), make_optimizer) == list(layers.parameters())


def test_a_network_without_biases_has_one_group() -> None:
    layer = nn.Linear(3, 2, bias=False)
    weight = list(layer.parameters())
    assert parameter_groups(layer, weight, torch.optim.SGD) == [{"params": weight}]


def test_ftrls_own_penalties_act_on_the_weights_alone() -> None:
    layers, make_optimizer = network(), make("ftrl", l1=1.0, l2=2.0)
    first, second = parameter_groups(layers, weights(layers), make_optimizer)
    assert isinstance(second, dict)
    assert "l1" not in first
    assert (second["l1"], second["l2"]) == (0.0, 0.0)
