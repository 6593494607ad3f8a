import itertools
import math

import pytest
import torch
from torch import nn

from seedbed import streams
from seedbed.data.loader import Loader, Shard, check_batch_size
from seedbed.data.rows import Table
from seedbed.data.source import Part
from seedbed.errors import ConfigError
from seedbed.shapes import Batch

STREAM, BATCH = 17, 8
SIZES = [1, BATCH - 1, BATCH, BATCH + 1, 5 * BATCH - 1]


def part(num_examples: int) -> Part:
    """A split of every second row, each row holding its own place."""
    values = torch.arange(2.0 * num_examples).unsqueeze(1)
    labels = torch.arange(2 * num_examples) % 3
    return Part(Table(values), labels, torch.arange(0, 2 * num_examples, 2))


def loader(num_examples: int = 21, *, training: bool = True, rank: int = 0, world_size: int = 1) -> Loader:
    return Loader(
        part(num_examples),
        batch_size=BATCH,
        preprocessing=nn.Identity(),
        order_stream=STREAM if training else None,
        shard=Shard(rank, world_size),
    )


def places(batches: object) -> list[list[int]]:
    return [batch.indices.tolist() for batch in batches]  # type: ignore[attr-defined]


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("num_examples", SIZES)
def test_every_example_comes_once_and_the_last_batch_is_kept(num_examples: int, training: bool) -> None:
    loaded = loader(num_examples, training=training)
    seen = places(loaded)
    assert sorted(itertools.chain(*seen)) == list(range(0, 2 * num_examples, 2))
    assert [len(batch) for batch in seen[:-1]] == [BATCH] * (len(loaded) - 1)
    assert len(seen) == len(loaded)
    assert loaded.num_examples == num_examples


def test_inputs_and_labels_belong_to_their_indices() -> None:
    for batch in loader():
        assert isinstance(batch, Batch)
        assert batch.inputs.flatten().tolist() == batch.indices.tolist()
        assert torch.equal(batch.labels, batch.indices % 3)


def test_the_order_is_the_streams_permutation_of_the_epoch() -> None:
    loaded = loader()
    for epoch in (0, 1, 5, 0):
        loaded.sampler.set_epoch(epoch)
        expected = 2 * streams.permutation(STREAM, epoch, 21)
        assert list(itertools.chain(*places(loaded))) == expected.tolist()


def test_evaluation_goes_in_file_order_in_every_epoch() -> None:
    loaded = loader(training=False)
    loaded.sampler.set_epoch(4)
    assert list(itertools.chain(*places(loaded))) == list(range(0, 42, 2))


def test_an_epoch_chosen_during_a_pass_is_the_next_ones() -> None:
    loaded = loader()
    undisturbed = places(loaded)
    started = iter(loaded)
    loaded.sampler.set_epoch(1)
    assert places(started) == undisturbed
    assert places(loaded) != undisturbed


@pytest.mark.parametrize("first", [0, 1, 2, 3])
def test_a_pass_can_begin_at_any_batch_and_the_next_is_whole(first: int) -> None:
    loaded = loader()
    whole = places(loaded)
    loaded.start_at(first)
    assert len(loaded) == 3
    iter(loaded)  # begun and never read, which takes nothing from the next
    assert places(loaded) == whole[first:]
    assert places(loaded) == whole


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("world_size", [2, 3, 5])
@pytest.mark.parametrize("num_examples", SIZES)
def test_processes_share_out_each_batch_in_turn(num_examples: int, world_size: int, training: bool) -> None:
    whole = places(loader(num_examples, training=training))
    shares = [
        places(loader(num_examples, training=training, rank=rank, world_size=world_size))
        for rank in range(world_size)
    ]
    for number, batch in enumerate(whole):
        assert [share[number] for share in shares] == [batch[rank::world_size] for rank in range(world_size)]


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("num_examples", SIZES)
def test_all_processes_take_the_same_number_of_steps(num_examples: int, training: bool) -> None:
    shares = [loader(num_examples, training=training, rank=rank, world_size=5) for rank in range(5)]
    assert [len(places(share)) for share in shares] == [math.ceil(num_examples / BATCH)] * 5


@pytest.mark.parametrize("batch_size", [0, -3])
def test_a_batch_of_no_examples_is_refused(batch_size: int) -> None:
    with pytest.raises(ConfigError) as caught:
        check_batch_size(batch_size)
    assert str(caught.value) == (
        f"data.batch_size: expected 1 or more, or null, got {batch_size}. "
        "Set data.batch_size=null to take the whole training split in every step."
    )


def test_a_batch_larger_than_the_split_is_refused() -> None:
    check_batch_size(21, 21)
    with pytest.raises(ConfigError) as caught:
        check_batch_size(22, 21)
    assert str(caught.value) == (
        "data.batch_size: expected at most the 21 examples of the training split, got 22. "
        "Set data.batch_size=null to take the whole training split in every step."
    )
