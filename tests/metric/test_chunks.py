"""Batches of any size go in, chunks of one size come out."""

import pytest
import torch

from seedbed.metric import chunks
from seedbed.metric.chunks import PADDING, Chunks


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "CHUNK_SIZE", 4)


def batch(*labels: int) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.tensor(labels)[:, None].expand(-1, 2).float(), torch.tensor(labels)


@pytest.mark.parametrize("sizes", [[11], [1] * 11, [3, 3, 3, 2], [4, 4, 3], [10, 1]])
def test_every_chunk_but_the_rest_is_full_and_the_order_is_kept(sizes: list[int]) -> None:
    queue, seen, start = Chunks(2), [], 0
    for size in sizes:
        if queue.add(*batch(*range(start, start + size))):
            seen += [chunk.labels.tolist() for chunk in queue.full()]
        start += size
    assert seen == [[0, 1, 2, 3], [4, 5, 6, 7]]
    rest = queue.rest()
    assert rest.labels.tolist() == [8, 9, 10]
    assert rest.log_probabilities[:, 0].tolist() == [8, 9, 10]


def test_taking_the_rest_leaves_nothing() -> None:
    queue = Chunks(2)
    queue.add(*batch(1, 2))
    queue.rest()
    assert queue.rest().log_probabilities.shape == (0, 2)


def test_looking_takes_nothing() -> None:
    queue = Chunks(2)
    queue.add(*batch(1, 2))
    queue.waiting()
    assert queue.rest().labels.tolist() == [1, 2]


def test_padding_does_not_fill_a_chunk() -> None:
    queue = Chunks(2)
    queue.add(*batch(1, PADDING, PADDING, PADDING, 2))
    assert queue.full() == []
    queue.add(*batch(3, PADDING, 4, 5))
    assert [chunk.labels.tolist() for chunk in queue.full()] == [[1, 2, 3, 4]]
    assert queue.rest().labels.tolist() == [5]


def test_a_waiting_remainder_does_not_keep_its_chunk_alive() -> None:
    queue = Chunks(2)
    queue.add(*batch(*range(5)))
    queue.full()
    assert queue.waiting().labels.tolist() == [4]
    kept = [part for chunk in queue._waiting for part in chunk]
    assert all(part.untyped_storage().nbytes() == part.nbytes for part in kept)
