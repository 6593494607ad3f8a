"""Process groups for tests: ranks forked from a server that has paid for the imports."""

import os
import traceback
import warnings
from collections.abc import Callable
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist

from seedbed.seat import Seat
from tests.kills import SERVER

LIMIT_SECONDS = 120


def together(world_size: int, store: Path, work: Callable[..., Any], *arguments: Any) -> list[Any]:
    """What `work(seat, *arguments)` returns on each rank; it and its answers must pickle.

    Args:
        world_size: processes; one is a process of its own, too, but has no group.
        store: a file, not yet there, where the ranks meet.
        work: a function of a module.
        arguments: the same for every rank.
    """
    ranks = [_started(Seat(rank, world_size, rank), store, work, arguments) for rank in range(world_size)]
    try:
        return [_answer(rank, ours) for rank, (_, ours) in enumerate(ranks)]
    finally:
        for process, _ in ranks:
            process.kill()
            process.join()


def _started(seat: Seat, store: Path, work: Callable[..., Any], arguments: Any) -> tuple[Any, Connection]:
    ours, theirs = SERVER.Pipe()
    process = SERVER.Process(target=_run, args=(seat, store, theirs, work, arguments))
    process.start()
    theirs.close()
    return process, ours


def _answer(rank: int, ours: Connection) -> Any:
    assert ours.poll(LIMIT_SECONDS), f"rank {rank} is silent"
    answer, trace = ours.recv()
    assert not trace, f"rank {rank}:\n{trace}"
    return answer


def _run(seat: Seat, store: Path, theirs: Connection, work: Callable[..., Any], arguments: Any) -> None:
    """One rank."""
    torch.set_num_threads(1)
    warnings.simplefilter("error")
    os.environ |= {
        "RANK": str(seat.rank),
        "WORLD_SIZE": str(seat.world_size),
        "LOCAL_RANK": str(seat.local_rank),
        "MASTER_ADDR": "127.0.0.1",  # Lightning wants to see that there is one
        "MASTER_PORT": "1",
        "GLOO_SOCKET_IFNAME": "lo",
    }
    try:
        if not seat.alone:
            _meet(seat, store)
        theirs.send((work(seat, *arguments), ""))
    except BaseException:
        theirs.send((None, traceback.format_exc()))
        raise
    finally:
        if dist.is_initialized():
            dist.destroy_process_group()


def _meet(seat: Seat, store: Path) -> None:
    dist.init_process_group(
        "gloo",
        init_method=f"file://{store}",
        rank=seat.rank,
        world_size=seat.world_size,
        timeout=timedelta(seconds=LIMIT_SECONDS),
    )
