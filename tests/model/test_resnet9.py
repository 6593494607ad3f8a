"""The residual network: its residuals, its batch statistics, what it refuses."""

from typing import Any

import pytest
import torch

from seedbed.errors import ConfigError
from seedbed.model.resnet9 import Resnet9


def resnet9(*shape: int, width: int = 4, whitening: bool = False) -> Resnet9:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Resnet9(input_shape=shape, num_classes=10, width=width, whitening=whitening).double()


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
    given: dict[str, Any] = {"input_shape": (3, 32, 32), "num_classes": 10, "width": 4, "whitening": False}
    given |= changes
    with pytest.raises(ConfigError) as refusal:
        Resnet9(**given)
    assert str(refusal.value).startswith(text)


def smooth(count: int, *shape: int) -> torch.Tensor:
    """Images whose neighbouring pixels and channels are nearly equal, as in photographs."""
    noise = torch.randn(count, *shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return torch.nn.functional.avg_pool2d(noise, 5, 1, 2) * 5 + noise[:, :1] * 0.3


def test_whitened_patches_are_uncorrelated_and_of_variance_one() -> None:
    network, photographs = resnet9(3, 16, 16, whitening=True), smooth(300, 3, 16, 16)
    network.look([photographs[:100], photographs[100:]])
    assert network.whitening is not None
    maps = network.whitening(photographs)[:, :, 1:-1, 1:-1].transpose(0, 1).flatten(1)
    half = len(maps) // 2
    moments = maps[:half] @ maps[:half].T / maps.shape[1]
    before = torch.nn.functional.unfold(photographs, 3).transpose(1, 2).flatten(0, 1)
    assert (before.T @ before / len(before)).fill_diagonal_(0).abs().max() > 0.5
    assert moments.clone().fill_diagonal_(0).abs().max() < 1e-9
    variances = torch.linalg.eigvalsh(before.T @ before / len(before)).flip(0)
    torch.testing.assert_close(moments.diagonal(), variances / (variances + 5e-4), rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(maps[half:], -maps[:half])


def test_whitening_is_neither_trained_nor_penalised_and_only_the_first_images_count() -> None:
    network, photographs = resnet9(3, 16, 16, whitening=True), smooth(20, 3, 16, 16)
    network.look([photographs])
    assert network.whitening is not None
    assert list(network.whitening.parameters()) == []
    assert not any(parameter.shape[1:] == (3, 3, 3) for parameter in network.penalised())
    filters = network.whitening.filters.clone()
    network.look(
        iter([photographs, *[photographs] * 249, torch.full_like(photographs, 9.0)])
    )  # 5,000, and more
    torch.testing.assert_close(network.whitening.filters, filters)
    again = resnet9(3, 16, 16, whitening=True)
    again.load_state_dict(network.state_dict())
    assert torch.equal(again.eval()(photographs), network.eval()(photographs))
