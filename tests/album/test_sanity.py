"""The test with random parameters: it refuses what ignores them, and lets pass what does not."""

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from seedbed.album.attribution import Maps, Method, Question, gradcam, integrated_gradients, occlusion
from seedbed.album.evaluated import model_of
from seedbed.album.sanity import LARGEST_SIMILARITY, NUM_DRAWS, randomisation, randomised, similarity
from seedbed.album.subjects import examples_of
from seedbed.model.network import Network
from seedbed.model.resnet9 import Resnet9
from seedbed.reproduce.check import Subject

NUM_EXAMPLES = 12


def edges(_: Network, question: Question) -> Maps:
    """A map that ignores the network: where neighbouring pixels differ."""
    images = question.inputs[:, 0].detach()
    down = torch.diff(images, dim=1, append=images[:, -1:])
    across = torch.diff(images, dim=2, append=images[:, :, -1:])
    return (down.square() + across.square()).sqrt()


def asked(subject: Subject) -> tuple[Network, Question]:
    model = model_of(subject.files)
    assert model is not None
    examples = examples_of(subject, model, NUM_EXAMPLES)
    assert examples is not None
    return model.network, Question(examples.inputs, examples.logits.argmax(dim=1), examples.baseline)


def test_an_edge_detector_fails(cnn: Subject) -> None:
    network, question = asked(cnn)
    verdict = randomisation(edges, network, question, edges(network, question))
    assert not verdict.passed
    assert verdict.largest == pytest.approx(1)
    assert len(verdict.draws) == NUM_DRAWS
    assert "rank correlation 1.00 [1.00 to 1.00] of the values" in verdict.told()


def test_an_edge_detector_with_a_little_of_the_network_still_fails(cnn: Subject) -> None:
    def mixed(network: Network, question: Question) -> Maps:
        own = integrated_gradients(network, question)
        return edges(network, question) + 0.05 * own / own.abs().amax(dim=(1, 2), keepdim=True)

    network, question = asked(cnn)
    assert not randomisation(mixed, network, question, mixed(network, question)).passed


@pytest.mark.parametrize("method", [gradcam, integrated_gradients, occlusion])
def test_the_methods_depend_on_what_a_network_has_learnt(cnn: Subject, method: Method) -> None:
    network, question = asked(cnn)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    maps = method(network, question)
    verdict = randomisation(method, network, question, maps)
    assert verdict.passed, verdict.told()
    assert verdict.num_examples == NUM_EXAMPLES
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert randomisation(method, network, question, maps) == verdict


def test_random_parameters_are_new_in_every_layer_and_the_same_for_a_seed() -> None:
    torch.manual_seed(0)
    network = Resnet9(input_shape=(3, 16, 16), num_classes=3, width=2, whitening=True)
    torch.nn.init.ones_(network.whitening.filters if network.whitening else torch.zeros(1))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.5)
    state = torch.random.get_rng_state()
    first, again, other = (dict(randomised(network, seed).named_parameters()) for seed in (1, 1, 2))
    assert torch.equal(torch.random.get_rng_state(), state)
    for name, parameter in network.named_parameters():
        assert not torch.equal(first[name], parameter), name
        assert torch.equal(first[name], again[name])
        if parameter.ndim > 1:
            assert not torch.equal(first[name], other[name])
    assert torch.equal(randomised(network, 1).get_buffer("whitening.filters"), torch.ones(54, 3, 3, 3))


def test_a_map_is_like_itself_and_unlike_its_negative() -> None:
    values = np.random.default_rng(0).normal(size=(6, 7))
    assert similarity(values, values) == pytest.approx((1, 1))
    assert similarity(values, -values) == pytest.approx((-1, 1))
    first, second = values, np.random.default_rng(1).normal(size=(6, 7))
    found = similarity(first, second)
    assert found.signed == pytest.approx(spearmanr(first.ravel(), second.ravel()).statistic)
    assert found.absolute == pytest.approx(spearmanr(np.abs(first).ravel(), np.abs(second).ravel()).statistic)


def test_places_where_both_maps_are_zero_make_no_two_maps_alike() -> None:
    first, second = np.zeros((10, 10)), np.zeros((10, 10))
    first[4, 2:7], second[4, 2:7] = (5, 1, 4, 2, 3), (1, 5, 2, 4, 3)
    assert spearmanr(first.ravel(), second.ravel()).statistic > LARGEST_SIMILARITY
    assert similarity(first, second).absolute == pytest.approx(-1)


@pytest.mark.parametrize(("first", "second", "alike"), [(0, 0, 1), (0, 1, 0), (1, 0, 0)])
def test_a_blank_map_is_like_a_blank_one_only(first: int, second: int, alike: int) -> None:
    pattern = np.arange(4.0).reshape(2, 2)
    assert similarity(first * pattern, second * pattern).signed == alike
