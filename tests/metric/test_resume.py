"""The state of `Metrics` survives a checkpoint to the last bit, and a change of dtype or process."""

import copy
import io
from typing import Any

import pytest
import torch

from seedbed.metric import chunks
from seedbed.metric.collection import Metrics
from seedbed.metric.state import merged
from tests.metric.reference import example_set

# float64: the sums of the shares are rounded where the sum of the whole is not.
SUMMED_IN_ANOTHER_ORDER = 1e-12


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "CHUNK_SIZE", 16)


def stored(metrics: Metrics) -> Any:
    """The state after a way through a file that may hold tensors only."""
    file = io.BytesIO()
    torch.save(metrics.state(), file)
    file.seek(0)
    return torch.load(file, weights_only=True)


@pytest.mark.parametrize("names", [None, ("loss", "accuracy")])
@pytest.mark.parametrize("interruption", [0, 5, 16, 41])
def test_an_interrupted_epoch_ends_on_the_same_bits(interruption: int, names: tuple[str, ...] | None) -> None:
    log_probabilities, labels = example_set(60, 10)
    undisturbed, before, after = (Metrics(10, names) for _ in range(3))
    undisturbed.update(log_probabilities, labels)
    before.update(log_probabilities[:interruption], labels[:interruption])
    after.restore(stored(before))
    after.update(log_probabilities[interruption:], labels[interruption:])
    assert after.compute() == undisturbed.compute()
    assert torch.equal(after.confusion(), undisturbed.confusion())


def test_loading_replaces_what_was_there() -> None:
    source, target = Metrics(10), Metrics(10)
    source.update(*example_set(20, 10))
    target.update(*example_set(50, 10, seed=1))
    target.restore(stored(source))
    assert target.compute() == source.compute()


def test_a_stored_state_does_not_change_afterwards() -> None:
    metrics, copied = Metrics(10), Metrics(10)
    metrics.update(*example_set(20, 10))
    expected = copy.deepcopy(metrics).compute()
    state = metrics.state()
    metrics.update(*example_set(50, 10, seed=1))
    copied.restore(state)
    copied.update(*example_set(7, 10, seed=2))
    fresh = Metrics(10)
    fresh.restore(state)
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


@pytest.mark.parametrize("names", [None, ("loss", "accuracy")])
@pytest.mark.parametrize("shares", [(60,), (25, 35), (0, 41, 19), (5, 0, 5)])
def test_examples_of_several_ranks_are_merged_into_those_of_one(
    shares: tuple[int, ...], names: tuple[str, ...] | None
) -> None:
    log_probabilities, labels = example_set(sum(shares), 10)
    ranks, whole, after = [Metrics(10, names) for _ in shares], Metrics(10, names), Metrics(10, names)
    whole.update(log_probabilities, labels)
    pieces = zip(torch.split(log_probabilities, list(shares)), torch.split(labels, list(shares)), strict=True)
    for rank, piece in zip(ranks, pieces, strict=True):
        rank.update(*piece)
    after.restore(merged([stored(rank) for rank in ranks]))
    assert torch.equal(after.confusion(), whole.confusion())
    got, expected = after.compute(), whole.compute()
    assert got == pytest.approx(expected, rel=SUMMED_IN_ANOTHER_ORDER)


def test_what_one_rank_has_come_to_is_merged_bit_for_bit() -> None:
    metrics, after = Metrics(10), Metrics(10)
    metrics.update(*example_set(41, 10))
    after.restore(merged([stored(metrics)]))
    assert after.compute() == metrics.compute()


def test_no_example_is_in_the_state_dict_of_the_model() -> None:
    metrics = Metrics(10)
    metrics.update(*example_set(41, 10))
    assert not metrics.state_dict()
