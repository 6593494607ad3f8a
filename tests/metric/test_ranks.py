"""Processes that each see their shares of the real loader compute what one process computes of all."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from seedbed.data.loader import Loader, Shard
from seedbed.data.rows import Table
from seedbed.data.source import Part
from seedbed.metric.collection import Metrics
from seedbed.seat import Seat
from tests.groups import together
from tests.metric.reference import example_set

# Sums over several ranks are sums in another order.
ROUNDING = 1e-12
NUM_CLASSES = (2, 10)
BATCH_SIZE = 7


def evaluated(seat: Seat, num_examples: int, num_classes: int) -> dict[str, Any]:
    """All metrics of the examples, of which this process reads its share."""
    log_probabilities, labels = example_set(num_examples, num_classes)
    loader = Loader(
        Part(Table(log_probabilities), labels, torch.arange(num_examples)),
        batch_size=BATCH_SIZE,
        preprocessing=nn.Identity(),
        shard=Shard(seat.rank, seat.world_size),
    )
    metrics = Metrics(num_classes)
    for batch in loader:
        metrics.update(batch.inputs, batch.labels)
    return {"metrics": metrics.compute(), "confusion": metrics.confusion().tolist()}


def everything(seat: Seat, cases: list[tuple[int, int]]) -> list[dict[str, Any]]:
    return [evaluated(seat, *case) for case in cases]


@pytest.mark.parametrize("world_size", [2, 3])
def test_each_example_counts_once_whatever_the_number_of_processes(world_size: int, tmp_path: Path) -> None:
    sizes = sorted({1, world_size - 1, world_size, world_size + 1, 5 * world_size - 1, 61})
    cases = [(size, num_classes) for size in sizes for num_classes in NUM_CLASSES]
    seen = together(world_size, tmp_path / "store", everything, cases)
    for case, alone, *results in zip(cases, everything(Seat(), cases), *seen, strict=True):
        for result in results:
            assert result["confusion"] == alone["confusion"], case
            assert result["metrics"] == pytest.approx(alone["metrics"], rel=ROUNDING, nan_ok=True), case
