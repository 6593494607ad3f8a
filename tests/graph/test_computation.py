"""The graph of every model computes and differentiates what training does."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from seedbed.graph.capture import Capture, captured, outlined
from seedbed.graph.computation import Computation
from seedbed.graph.folding import folded, joined
from seedbed.graph.functions import linked
from seedbed.graph.layers import layers
from seedbed.graph.scene import Scene, first_batch
from seedbed.graph.words import Words
from tests.conftest import jobs_in
from tests.every_model import NAMES, job_of

PRICED = ("objective.l1=0.01", "objective.l2=0.02", "objective.label_smoothing=0.1")


class Drawn(NamedTuple):
    scene: Scene
    capture: Capture
    untouched: bool


@pytest.fixture(scope="module", params=NAMES)
def drawn(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drawn]:
    root = tmp_path_factory.mktemp(request.param)
    with pytest.MonkeyPatch.context() as patched, jobs_in(root) as make:
        patched.setattr("seedbed.model.alexnet.HIDDEN_FEATURES", 32)
        scene = first_batch(job_of(make, request.param, root, *PRICED))
        state = {name: value.clone() for name, value in scene.network.state_dict().items()}
        capture = captured(scene)
        after = scene.network.state_dict()
        yield Drawn(scene, capture, all(after[name].equal(value) for name, value in state.items()))


def objective(scene: Scene) -> Tensor:
    logits = scene.network(scene.batch.inputs, scene.keys)
    return scene.objective.share(scene.network, logits, scene.batch)


def test_the_objective_and_every_gradient_are_those_of_training(drawn: Drawn) -> None:
    scene, capture, _ = drawn
    nodes = {node.name: node for node in capture.nodes}
    value = objective(scene)
    assert nodes[capture.objective].value.equal(value)
    for (name, parameter), expected in zip(
        scene.network.named_parameters(),
        torch.autograd.grad(value, list(scene.network.parameters())),
        strict=True,
    ):
        gradient = nodes[name].gradient
        assert nodes[name].value is parameter
        assert gradient is not None
        torch.testing.assert_close(gradient, expected, rtol=1e-6, atol=1e-8)


def test_nothing_of_the_network_is_moved(drawn: Drawn) -> None:
    assert drawn.untouched


def test_autograd_links_what_it_links_without_the_export(drawn: Drawn) -> None:
    functions = linked(drawn.capture)
    expected: Counter[str] = Counter()
    scene = drawn.scene
    value, _ = Computation(scene.network, scene.objective)(scene.batch.inputs, scene.batch.labels, scene.keys)
    waiting: list[Any] = [value.grad_fn]
    seen = set(waiting)
    while waiting:
        function = waiting.pop()
        expected[function.name().rpartition("::")[2]] += 1
        new = {target for target, _ in function.next_functions if target is not None} - seen
        seen |= new
        waiting += new
    assert Counter(function.name.partition(" ")[0] for function in functions) == expected
    gathered = [function.parameter for function in functions if function.parameter]
    assert sorted(gathered) == sorted(name for name, _ in drawn.scene.network.named_parameters())
    order = [function.name for function in functions]
    for place, function in enumerate(functions):
        assert all(order.index(target) > place for target in function.targets)


@pytest.mark.parametrize("depth", [1, 2, 3, 9])
def test_every_node_is_in_one_box_and_every_arrow_leads_on(drawn: Drawn, depth: int) -> None:
    groups = folded(drawn.capture, depth)
    for found in (groups, joined(groups, max_groups=1)):
        members = [node.name for group in found for node in group.members]
        assert sorted(members) == sorted(node.name for node in drawn.capture.nodes if node.name != "keys")
        before: set[str] = set()
        for group in found:
            assert set(group.inputs) <= before
            before.add(group.name)
    assert ("network" in {group.name for group in groups}) == (depth == 1)


def test_layers_count_every_parameter_once_and_the_products_that_torch_counts(drawn: Drawn) -> None:
    scene, capture, _ = drawn
    words = Words(capture, scene.network.likelihood, scene.objective)
    written = outlined(scene)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        scene.network(scene.batch.inputs, scene.keys)
    for depth in (1, 2, 3):
        *_, last, total = found = layers(capture, depth, words)
        assert total.num_parameters == sum(parameter.numel() for parameter in scene.network.parameters())
        assert 2 * total.num_multiply_adds * scene.batch.num_examples == counter.get_total_flops()
        assert last.output == str(scene.network.num_logits)
        assert layers(written, depth, words) == found
