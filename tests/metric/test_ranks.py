"""Two processes that each see a share compute what one process computes of all."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from seedbed.metric.collection import Metrics
from tests.metric import ranks
from tests.metric.reference import example_set

# Sums over two ranks are sums in another order.
ROUNDING = 1e-12
LIMIT_SECONDS = 120
CHECKOUT = Path(__file__).parents[2]


def test_two_unequal_ranks_equal_one_process_even_if_one_is_empty(tmp_path: Path) -> None:
    outs = [tmp_path / f"{rank}.json" for rank in range(2)]
    rendezvous = f"file://{tmp_path / 'rendezvous'}"
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.metric.ranks", str(rank), rendezvous, str(out)], cwd=CHECKOUT
        )
        for rank, out in enumerate(outs)
    ]
    try:
        codes = [process.wait(LIMIT_SECONDS) for process in started]
    finally:
        for process in started:
            process.kill()
    assert codes == [0, 0]
    seen = [json.loads(out.read_text()) for out in outs]
    assert seen[0] == seen[1]
    for (first, second, num_classes), result in zip(ranks.SHARES, seen[0], strict=True):
        alone = Metrics(num_classes)
        alone.update(*example_set(first + second, num_classes, torch.float32))
        assert result["metrics"] == pytest.approx(alone.compute(), rel=ROUNDING, nan_ok=True)
        assert result["confusion"] == alone.confusion().tolist()
