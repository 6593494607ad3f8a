"""Several machines train one model, each played by a process here; and what is left where one dies."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from seedbed.errors import ConfigError, TrainingError
from seedbed.job import Job
from seedbed.ranks import group
from seedbed.train import run
from tests.test_ranks import DDP, ROUNDING, UNEVEN, the_run

MakeJob = Callable[..., Job]
LIMIT_SECONDS = 120
QUIET = ("track.system_metrics=false", "track.pictures=false")


@contextmanager
def command(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A `seedbed` command at work in a folder; ended with the block, with all that it started."""
    process = subprocess.Popen(
        [sys.executable, "-m", "seedbed", *arguments],
        cwd=folder,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def waited(found: Callable[[], object]) -> None:
    """Until it is there, or the test has failed."""
    end = time.monotonic() + LIMIT_SECONDS
    while not found():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.05)


def ranks_of(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return [
        child
        for child in psutil.Process(process.pid).children()
        if "seedbed.ranks.rank" in " ".join(child.cmdline())
    ]


def journal(folder: Path) -> list[Path]:
    """The journals of the run, once its first epoch is in."""
    return [path for path in folder.glob("mlruns/runs/*/journal.jsonl") if '"metrics"' in path.read_text()]


@pytest.mark.slow
def test_two_machines_make_one_run_with_the_result_of_one(make_job: MakeJob, tmp_path: Path) -> None:
    where = f"127.0.0.1:{free_port()}"
    nodes = ("trainer.devices=1", "trainer.num_nodes=2", f"trainer.rendezvous={where}")
    with (
        command(tmp_path, "train", *UNEVEN, *DDP, *nodes, *QUIET) as first,
        command(tmp_path, "join", where) as second,
    ):
        told = [process.communicate(timeout=LIMIT_SECONDS)[0] for process in (first, second)]
    assert [first.returncode, second.returncode] == [0, 0], told
    assert f"Waiting for 1 more machine(s); run on each: seedbed join {where}" in told[0]
    alone = run(make_job(*UNEVEN, f"track.root={tmp_path}/alone"))
    found = the_run(make_job(*UNEVEN))
    assert found.data.metrics["val/loss"] == pytest.approx(alone.metrics["val/loss"], abs=ROUNDING)


@pytest.mark.slow
def test_ranks_do_not_outlive_the_process_that_holds_the_record(tmp_path: Path) -> None:
    with command(tmp_path, "train", *UNEVEN, *DDP, *QUIET, "trainer.max_epochs=10000") as process:
        waited(lambda: journal(tmp_path))
        left = ranks_of(process)
        assert len(left) == 2
        os.kill(process.pid, signal.SIGKILL)
        gone, alive = psutil.wait_procs(left, timeout=10)
    assert (len(gone), alive) == (2, [])


@pytest.mark.slow
def test_a_machine_that_never_joins_is_waited_for_no_longer_than_the_timeout(make_job: MakeJob) -> None:
    where = f"127.0.0.1:{free_port()}"
    nodes = ("trainer.devices=1", "trainer.num_nodes=2", f"trainer.rendezvous={where}")
    job = make_job(*DDP, *nodes, "trainer.timeout_minutes=0.05")
    with pytest.raises(TrainingError, match=r"trainer\.num_nodes=2: expected all machines within .*=0\.05"):
        run(job)
    assert the_run(job).info.status == "FAILED"


def test_joining_where_nobody_waits_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group, "PATIENCE", timedelta(seconds=1))
    with pytest.raises(TrainingError, match="expected a run that waits there, got no answer within 1 s"):
        group.join(f"127.0.0.1:{free_port()}")


def test_a_port_that_is_taken_is_refused(make_job: MakeJob) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        where = f"127.0.0.1:{server.getsockname()[1]}"
        job = make_job(*DDP, "trainer.num_nodes=2", f"trainer.rendezvous={where}")
        with pytest.raises(ConfigError, match=r"trainer\.rendezvous: expected a free port of this machine"):
            run(job)


@pytest.mark.parametrize(
    ("overrides", "text"),
    [
        (
            ("trainer.devices=2",),
            r"trainer\.devices: expected 1 with trainer=single, got 2\. Add trainer=ddp",
        ),
        (("trainer.rendezvous=a:1",), r"trainer\.rendezvous: expected null with trainer=single"),
        (("trainer=ddp", "trainer.devices=0"), r"trainer\.devices: expected 1 or more, got 0"),
        (("trainer=ddp", "trainer.num_nodes=2"), r"trainer\.rendezvous: expected HOST:PORT .* got null"),
        (("trainer=ddp", "trainer.rendezvous=a:1"), r"trainer\.rendezvous: expected null on one machine"),
        (("trainer=ddp", "trainer.backend=mpi"), r"trainer\.backend: expected nccl, gloo or null, got mpi"),
        (("trainer=ddp", "trainer.timeout_minutes=0"), r"trainer\.timeout_minutes: expected above 0"),
        (("trainer.strategy=dp",), r"trainer\.strategy: expected single, ddp or fsdp, got dp"),
    ],
)
def test_processes_that_do_not_go_together_are_refused(
    make_job: MakeJob, overrides: tuple[str, ...], text: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=text):
        run(make_job(*overrides))
    assert not (tmp_path / "mlruns").exists(), "refused before anything is on record"
