"""Runs of several processes that are stopped or killed, and go on with as many processes, fewer or more."""

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
import torch

from seedbed.checkpoint import LAST, MARK
from seedbed.errors import Stopped
from seedbed.job import Job
from seedbed.train import run
from tests.test_machines import LIMIT_SECONDS, QUIET, command, journal, ranks_of, waited
from tests.test_ranks import DDP, ROUNDING, UNEVEN, Plant, client, plant, the_run

__all__ = ["plant"]
MakeJob = Callable[..., Job]
LONG = (*UNEVEN, "trainer.max_epochs=6")


def history(job: Job) -> dict[tuple[str, int], float]:
    """Every point of every metric; a step that is there twice fails."""
    found = the_run(job)
    points = [
        point
        for name in found.data.metrics
        if not name.startswith("system/") and not name.endswith("seconds")
        for point in client(job).get_metric_history(found.info.run_id, name)
    ]
    steps = [(point.key, point.step) for point in points]
    assert len(set(steps)) == len(steps)
    return {(point.key, point.step): point.value for point in points}


def place(folder: Path) -> dict[str, int]:
    (path,) = folder.glob(f"mlruns/runs/*/{LAST}")
    mark: dict[str, int] = torch.load(path, weights_only=True)[MARK]
    return mark


def stopped(process: subprocess.Popen[str], folder: Path, number: int) -> str:
    """Lets the command train for an epoch, then sends it a signal; what it said."""
    waited(lambda: journal(folder))
    process.send_signal(number)
    return process.communicate(timeout=LIMIT_SECONDS)[0]


@pytest.mark.slow
@pytest.mark.parametrize("onward", [("trainer=single",), (*DDP, "trainer.devices=3")], ids=["one", "three"])
def test_a_run_that_two_processes_began_is_ended_by_another_number(
    make_job: MakeJob, plant: Plant, tmp_path: Path, onward: tuple[str, ...]
) -> None:
    plant("stop:1:40")  # step 40 is the 18th of the second epoch
    with pytest.raises(Stopped) as caught:
        run(make_job(*LONG, *DDP))
    assert caught.value.signal_number == signal.SIGTERM
    begun = the_run(make_job(*LONG))
    assert begun.info.status == "KILLED"
    mark = place(tmp_path)
    assert (mark["epoch"], mark["batch"]) == (1, 18)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("seedbed.ranks.group.PROGRAM", "seedbed.ranks.rank")
        run(make_job(*LONG, *onward), begun.info.run_id)
    alone = make_job(*LONG, f"track.root={tmp_path}/alone")
    run(alone)
    found, expected = history(make_job(*LONG)), history(alone)
    assert found.keys() == expected.keys()
    assert found == pytest.approx(expected, abs=ROUNDING)
    ended = the_run(make_job(*LONG))
    assert (ended.info.status, ended.data.params) == ("FINISHED", begun.data.params)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_the_command_reaches_all_ranks_between_two_steps(tmp_path: Path, number: int) -> None:
    with command(tmp_path, "train", *UNEVEN, *DDP, *QUIET, "trainer.max_epochs=10000") as process:
        told = stopped(process, tmp_path, number)
        assert process.returncode == 128 + number, told
    assert "the record says KILLED; seedbed resume goes on from here" in told
    assert place(tmp_path)["epoch"] >= 1


@pytest.mark.slow
def test_a_killed_group_goes_on_from_its_last_checkpoint(
    make_job: MakeJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # the code that a run is of includes the checkout that it began in
    every = "trainer.checkpoint_every_steps=5"
    with command(tmp_path, "train", *LONG, *DDP, *QUIET, every) as process:
        waited(lambda: journal(tmp_path))
        left = ranks_of(process)
        os.kill(process.pid, signal.SIGKILL)
        psutil.wait_procs(left, timeout=10)
    job = make_job(*LONG, *DDP)
    assert the_run(job).info.status == "RUNNING"
    run(job, the_run(job).info.run_id)
    undisturbed = make_job(*LONG, *DDP, f"track.root={tmp_path}/undisturbed")
    run(undisturbed)
    assert history(job) == history(undisturbed)
