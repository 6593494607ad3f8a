"""The residual network: its residuals, its batch statistics, what it refuses."""

from typing import Any

import pytest
import torch

from seedbed.errors import ConfigError
from seedbed.model.resnet9 import Resnet9


def resnet9(*shape: int, width: int = 4) -> Resnet9:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Resnet9(input_shape=shape, num_classes=10, width=width).double()


def images(*shape: int) -> torch.Tensor:
    return torch.randn(6, *shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.mark.parametrize("shape", [(3, 32, 32), (1, 16, 16), (3, 33, 47), (3, 64, 64)])
def test_images_of_many_sizes_give_logits(shape: tuple[int, ...]) -> None:
    assert resnet9(*shape)(images(*shape)).shape == (6, 10)


def test_the_residual_blocks_add_to_their_input() -> None:
    network = resnet9(3, 32, 32).eval()
    before = network(images(3, 32, 32))
    with torch.no_grad():
        for block in (network.first_residual, network.third_residual):
            block.second.normalisation.weight.zero_()
            block.second.normalisation.bias.zero_()
    network.first_residual = torch.nn.Identity()  # type: ignore[assignment]
    silent = network(images(3, 32, 32))
    network.third_residual = torch.nn.Identity()  # type: ignore[assignment]
    assert torch.equal(network(images(3, 32, 32)), silent)
    assert not torch.allclose(before, silent)


def test_logits_are_an_eighth_of_the_last_layers_outputs() -> None:
    network = resnet9(3, 16, 16).eval()
    outputs: list[torch.Tensor] = []
    network.output.register_forward_hook(lambda _layer, _inputs, output: outputs.append(output))
    assert torch.equal(network(images(3, 16, 16)), outputs[0] / 8)


def test_training_normalises_by_the_batch_and_evaluation_does_not() -> None:
    network, batch = resnet9(3, 16, 16), images(3, 16, 16)
    in_training = network.train()(batch)[:2]
    assert not torch.allclose(network(batch[:2]), in_training)
    in_evaluation = network.eval()(batch)[:2]
    torch.testing.assert_close(network(batch[:2]), in_evaluation)


def test_a_single_example_can_be_trained_on() -> None:
    assert resnet9(3, 16, 16).train()(images(3, 16, 16)[:1]).isfinite().all()


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"input_shape": (30,)}, "model=resnet9: expected images of (channels, height, width), got"),
        ({"input_shape": (3, 8, 8)}, "model=resnet9: expected images of at least 16x16 pixels, got 8x8."),
        ({"width": 0}, "model.width: expected one width or more, each 1 or more, got [0]."),
    ],
)
def test_what_it_cannot_take_is_refused(changes: dict[str, Any], text: str) -> None:
    given: dict[str, Any] = {"input_shape": (3, 32, 32), "num_classes": 10, "width": 4} | changes
    with pytest.raises(ConfigError) as refusal:
        Resnet9(**given)
    assert str(refusal.value).startswith(text)
