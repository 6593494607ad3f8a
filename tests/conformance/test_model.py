"""What holds of every network in `conf/model`: a new YAML file gets these tests for nothing."""

from collections.abc import Callable
from typing import Any

import hydra.utils
import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.errors import InstantiationException
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap

from seedbed import config
from seedbed.errors import ConfigError
from seedbed.model.network import Network
from seedbed.streams import example_keys

NAMES = sorted(path.stem for path in (config.folder() / "model").glob("*.yaml"))
# Smallest first: a network is tested on the first that it takes.
SHAPES = [(5,), (1, 8, 8), (3, 16, 16), (3, 63, 63)]
LEGAL = [(shape, num_classes) for shape in SHAPES for num_classes in (3, 2)]
LAYERS = (nn.Linear, nn.Conv2d, nn.Embedding)
# Networks with one weight vector and a convex objective, which begin at 0.
FROM_ZERO = ("hashed_logistic",)
# The same float64 terms summed in another order, relative to logits of order one.
ROUNDING = 1e-12

Build = Callable[..., Network]
Files = dict[str, dict[str, Any]]


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def files() -> Files:
    """Every file of `conf/model`, composed with its schema."""
    config.register()
    with initialize_config_dir(str(config.folder()), version_base="1.3"):
        return {name: dict(compose("train", [f"model={name}"]).model) for name in NAMES}


@pytest.fixture
def build(files: Files, monkeypatch: pytest.MonkeyPatch) -> Build:
    """A float64 network as its YAML file has it, on the first legal shape; the two giants narrow."""
    monkeypatch.setattr("seedbed.model.alexnet.HIDDEN_FEATURES", 32)
    narrow = {"resnet9": {"width": 4}, "hashed_logistic": {"num_slots": 64}}

    def make(name: str, seed: int = 0, **changes: Any) -> Network:
        for input_shape, num_classes in LEGAL:
            given = files[name] | narrow.get(name, {}) | changes
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed)
                try:
                    network = instantiated(given, input_shape, num_classes)
                except ConfigError:
                    continue
            return network.double()
        raise AssertionError(f"{name} takes none of {LEGAL}")

    return make


def instantiated(given: dict[str, Any], input_shape: tuple[int, ...], num_classes: int) -> Network:
    """As assembly does; Hydra wraps what a constructor raises."""
    facts = {"input_shape": input_shape, "num_classes": num_classes}
    try:
        network: Network = hydra.utils.instantiate(given, **facts, _convert_="all")
    except InstantiationException as error:
        if isinstance(error.__cause__, ConfigError):
            raise error.__cause__ from None
        raise
    return network


def images(network: Network, count: int) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(count, *network.input_shape, generator=generator, dtype=torch.float64)


def keys_of(count: int, epoch: int = 0) -> Tensor:
    return example_keys(7, epoch, torch.arange(count))


def loss(network: Network, keys: Tensor | None = None, count: int = 16) -> Tensor:
    labels = torch.arange(count) % network.num_classes
    return network.likelihood.nll(network(images(network, count), keys), labels).mean()


@pytest.mark.parametrize("count", [1, 2, 5])
def test_there_is_one_row_of_logits_an_example(build: Build, name: str, count: int) -> None:
    network = build(name).eval()
    logits = network(images(network, count))
    assert logits.shape == (count, network.likelihood.num_logits(network.num_classes))
    assert network.likelihood.log_probabilities(logits).shape == (count, network.num_classes)
    assert logits.dtype == torch.float64


@pytest.mark.parametrize("shape", [*SHAPES, (2, 9, 31), (3, 70, 64)])
def test_any_shape_is_taken_or_refused_with_the_model_named(files: Files, name: str, shape: Any) -> None:
    refusals: list[str] = []
    with torch.device("meta"):
        try:
            network = instantiated(files[name], shape, 2).eval()
            assert network(torch.randn(2, *shape)).shape[0] == 2
        except ConfigError as error:
            refusals.append(error.what)
    assert refusals in ([], [f"model={name}"])


def test_logits_do_not_depend_on_the_other_rows_in_evaluation(build: Build, name: str) -> None:
    network = build(name).eval()
    batch = images(network, 5)
    alone = torch.cat([network(row[None]) for row in batch])
    torch.testing.assert_close(network(batch), alone, rtol=0, atol=ROUNDING)


def test_evaluation_leaves_no_trace(build: Build, name: str) -> None:
    network = build(name).eval()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    assert torch.equal(network(images(network, 3)), network(images(network, 3)))
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


def test_the_gradient_reaches_every_parameter(build: Build, name: str) -> None:
    network = build(name).train()
    # An odd number: at weights of 0 the gradients of two classes as large would cancel.
    loss(network, keys_of(17), 17).backward()  # type: ignore[no-untyped-call]
    missed = [key for key, value in network.named_parameters() if value.grad is None or not value.grad.any()]
    assert not missed


def test_weights_are_penalised_and_neither_biases_nor_scales(build: Build, name: str) -> None:
    network = build(name)
    layers = [layer for layer in network.modules() if isinstance(layer, LAYERS)]
    assert layers
    assert {id(weight) for weight in network.penalised()} == {id(layer.weight) for layer in layers}


def test_the_first_weights_depend_on_the_init_seed_alone(build: Build, name: str) -> None:
    one, again, other = build(name), build(name), build(name, seed=1)
    assert all(map(torch.equal, one.parameters(), again.parameters()))
    if name in FROM_ZERO:
        assert not any(bool(weight.any()) for weight in other.parameters())
    else:
        assert not all(map(torch.equal, one.penalised(), other.penalised()))


def test_no_forward_pass_draws_from_the_global_generator(build: Build, name: str) -> None:
    network = build(name).train()
    before = torch.get_rng_state()
    network(images(network, 2), keys_of(2))
    assert torch.equal(torch.get_rng_state(), before)


def test_dropout_follows_the_key_and_not_the_place(build: Build, files: Files, name: str) -> None:
    if "dropout" not in files[name]:
        network = build(name).eval()
        assert torch.equal(network(images(network, 4), keys_of(4)), network(images(network, 4)))
        return
    network = build(name, dropout=0.5).train()
    batch, keys, order = images(network, 4), keys_of(4), torch.tensor([2, 0, 3, 1])
    dropped = network(batch, keys)
    torch.testing.assert_close(network(batch[order], keys[order]), dropped[order], rtol=0, atol=ROUNDING)
    assert not torch.allclose(network(batch, keys_of(4, epoch=1)), dropped)
    assert not torch.allclose(network(batch), dropped)


def test_weights_travel_through_a_file_that_holds_only_tensors(
    build: Build, name: str, tmp_path: Any
) -> None:
    sender, receiver = build(name).eval(), build(name, seed=1).eval()
    torch.save(sender.state_dict(), tmp_path / "weights.pt")
    receiver.load_state_dict(torch.load(tmp_path / "weights.pt", weights_only=True))
    batch = images(sender, 3)
    assert torch.equal(receiver(batch), sender(batch))


def test_members_of_a_stack_answer_as_they_do_alone(build: Build, name: str) -> None:
    members = [build(name, seed).eval() for seed in range(2)]
    state = stack_module_state(members)
    batch = images(members[0], 3)
    together = vmap(lambda own: functional_call(members[0], own, (batch,)))({**state[0], **state[1]})
    for member, logits in zip(members, together, strict=True):
        torch.testing.assert_close(logits, member(batch), rtol=0, atol=ROUNDING)


def test_a_step_runs_in_deterministic_mode_and_repeats_its_bits(build: Build, name: str) -> None:
    torch.use_deterministic_algorithms(mode=True)
    gradients = []
    for _ in range(2):
        network = build(name).train()
        loss(network, keys_of(16)).backward()  # type: ignore[no-untyped-call]
        gradients.append([weight.grad for weight in network.parameters()])
    assert all(map(torch.equal, *gradients))


def test_half_precision_gives_a_finite_loss(build: Build, name: str) -> None:
    network = build(name).float().train()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = network(images(network, 4).float(), keys_of(4))
        losses = network.likelihood.nll(logits, torch.zeros(4, dtype=torch.int64))
        log_probabilities = network.likelihood.log_probabilities(logits)
    assert torch.cat([losses, log_probabilities.flatten()]).isfinite().all()
