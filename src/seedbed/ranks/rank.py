"""One rank of a run: `python -m seedbed.ranks.rank FOLDER RUN_ID new|resumed`."""

import ctypes
import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
import torch.distributed as dist

from seedbed.assembly import device_of
from seedbed.errors import Stopped, TrainingError
from seedbed.growing import Plot, grow
from seedbed.job import Job
from seedbed.ranks.ending import Ending
from seedbed.ranks.group import JOB, OUTCOME
from seedbed.recording import job_signature
from seedbed.seat import Seat
from seedbed.stopping import Stopping
from seedbed.strategy import backend, timeout
from seedbed.track.journal import Journal
from seedbed.track.load import Load
from seedbed.track.record import Record
from seedbed.track.store import Store

# Linux: the signal that a process gets when the one that started it dies (see prctl(2)).
PR_SET_PDEATHSIG = 1


def main(folder: Path, run_id: str, resumed: bool) -> None:
    """Trains this rank's share; the first rank leaves the outcome in the folder."""
    job = Job.load(folder / JOB)
    seat = Seat(*(int(os.environ[name]) for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK")))
    _meet(job, seat)
    stopping = Stopping()
    record = None
    if seat.first:
        track = job.config["track"]
        store = Store.open(Path(track["root"]), may_be_away=True, offline=track["offline"])
        record = Record(store, run_id)
    plot = Plot(job, seat, folder.parent, record, stopping)
    with stopping.listening(), _load(plot):
        outcome = grow(plot, resumed=resumed)
    if outcome is not None:
        (folder / OUTCOME).write_text(json.dumps(outcome._asdict()))
    dist.destroy_process_group()


def _meet(job: Job, seat: Seat) -> None:
    """Joins the other ranks, and makes sure that all are to train the same thing.

    Raises:
        TrainingError: where two ranks have different configurations.
    """
    config = job.config["trainer"]
    if config["num_nodes"] == 1 and sys.platform == "linux":
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")  # else the name of the host must resolve
    device = device_of(config["accelerator"], seat.local_rank)
    if device.type == "cuda":
        torch.cuda.set_device(device)
    dist.init_process_group(backend(config, device), timeout=timeout(config))
    check_same(job, seat)


def check_same(job: Job, seat: Seat) -> None:
    """Refuses ranks whose configurations differ in what can move a result."""
    signatures = seat.gathered(job_signature(job))
    if len(set(signatures)) > 1:
        told = ", ".join(f"rank {rank}: {signature}" for rank, signature in enumerate(signatures))
        raise TrainingError(
            "seedbed.signature",
            expected="the same configuration on all ranks",
            got=told,
            do="Let every rank read the job that the run was started with.",
        )


@contextmanager
def _load(plot: Plot) -> Iterator[None]:
    """This rank's device metrics, as `system/rank_<rank>/...`; the first rank delivers them all."""
    if not plot.job.config["track"]["system_metrics"]:
        yield
        return
    journal = Journal(plot.folder / f"rank_{plot.seat.rank}")
    prefix = f"system/rank_{plot.seat.rank}/"
    load = Load(journal.append, first_step=journal.last_step(prefix) + 1, prefix=prefix)
    try:
        yield
    finally:
        load.stop()
        journal.close()


def die_with_parent() -> None:
    """Nobody may go on writing to a record whose holder is gone, not even where it was killed."""
    parent = os.getppid()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before it could be watched
        sys.exit(1)


def run(arguments: list[str]) -> int:
    """Runs a rank and tells its launcher how it ended; the exit code."""
    die_with_parent()
    folder, run_id, start = arguments
    try:
        main(Path(folder), run_id, start == "resumed")
    except BaseException as error:
        Ending.by(error).tell()
        if isinstance(error, Stopped):
            return 128 + error.signal_number
        raise
    return 0


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
