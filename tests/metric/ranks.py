"""One rank of a process group that evaluates its share: `ranks.py RANK RENDEZVOUS OUT`.

Started as a program of its own, because a process group belongs to a process.
"""

import json
import sys
import warnings
from datetime import timedelta
from pathlib import Path

import torch
import torch.distributed as dist

from seedbed.metric.collection import Metrics

# (examples of rank 0, examples of rank 1, classes)
SHARES = ((40, 21, 10), (1, 60, 2), (5, 0, 10), (0, 3, 2))
TIMEOUT = timedelta(seconds=60)


def evaluated(rank: int, share: tuple[int, int, int]) -> dict[str, object]:
    from tests.metric.reference import example_set

    first, second, num_classes = share
    log_probabilities, labels = example_set(first + second, num_classes, torch.float32)
    mine = slice(0, first) if rank == 0 else slice(first, None)
    metrics = Metrics(num_classes)
    if len(labels[mine]):
        metrics.update(log_probabilities[mine], labels[mine])
    return {"metrics": metrics.compute(), "confusion": metrics.confusion().tolist()}


def main() -> None:
    rank, rendezvous, out = int(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    warnings.simplefilter("error")
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=rendezvous, rank=rank, world_size=2, timeout=TIMEOUT)
    out.write_text(json.dumps([evaluated(rank, share) for share in SHARES]))
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
