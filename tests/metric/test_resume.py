"""The state of `Metrics` survives a checkpoint to the last bit, and a change of dtype or process."""

import copy
import io
from typing import Any

import pytest
import torch

from seedbed.metric import chunks
from seedbed.metric.collection import Metrics
from tests.metric.reference import example_set


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "CHUNK_SIZE", 16)


def stored(metrics: Metrics) -> Any:
    """The state dict after a way through a file that may hold tensors only."""
    file = io.BytesIO()
    torch.save(metrics.state_dict(), file)
    file.seek(0)
    return torch.load(file, weights_only=True)


@pytest.mark.parametrize("names", [None, ("loss", "accuracy")])
@pytest.mark.parametrize("interruption", [0, 5, 16, 41])
def test_an_interrupted_epoch_ends_on_the_same_bits(interruption: int, names: tuple[str, ...] | None) -> None:
    log_probabilities, labels = example_set(60, 10)
    undisturbed, before, after = (Metrics(10, names) for _ in range(3))
    undisturbed.update(log_probabilities, labels)
    before.update(log_probabilities[:interruption], labels[:interruption])
    after.load_state_dict(stored(before))
    after.update(log_probabilities[interruption:], labels[interruption:])
    assert after.compute() == undisturbed.compute()
    assert torch.equal(after.confusion(), undisturbed.confusion())


def test_loading_replaces_what_was_there() -> None:
    source, target = Metrics(10), Metrics(10)
    source.update(*example_set(20, 10))
    target.update(*example_set(50, 10, seed=1))
    target.load_state_dict(stored(source))
    assert target.compute() == source.compute()


def test_a_stored_state_does_not_change_afterwards() -> None:
    metrics, copied = Metrics(10), Metrics(10)
    metrics.update(*example_set(20, 10))
    expected = copy.deepcopy(metrics).compute()
    state = metrics.state_dict()
    metrics.update(*example_set(50, 10, seed=1))
    copied.load_state_dict(state)
    copied.update(*example_set(7, 10, seed=2))
    assert Metrics(10).load_state_dict(state) is not None
    fresh = Metrics(10)
    fresh.load_state_dict(state)
    assert fresh.compute() == expected


def test_what_waits_moves_with_the_model() -> None:
    metrics = Metrics(10)
    metrics.update(*example_set(5, 10))
    torch.nn.Sequential(metrics).to("meta")
    parts = [part for chunk in metrics._chunks._waiting for part in chunk]
    assert {part.device.type for part in parts} == {"meta"}


@pytest.mark.parametrize("cast", ["half", "float", "double", "bfloat16"])
def test_a_cast_of_the_whole_model_rounds_no_sum(cast: str) -> None:
    examples = example_set(50, 10)
    plain, cast_metrics = Metrics(10), Metrics(10)
    plain.update(*examples)
    cast_metrics.update(*examples)
    getattr(torch.nn.Sequential(cast_metrics), cast)()
    assert cast_metrics.compute() == plain.compute()
