"""Studies of runs of several processes, under every launcher: a rank that fails ends its run alone."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.study.conftest import QUICK, family

LIMIT_SECONDS = 240
DDP = ("trainer=ddp", "trainer.accelerator=cpu")
# Weights of the first run overflow.
ONE_FAILS = ("optimizer=sgd", "schedule=constant", "optimizer.lr=1e38,1e-2")
LAUNCHERS = {
    "here": (),
    "processes": ("launch.num_parallel=2",),
}


def study(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, because launchers carry what they run to other processes."""
    command = [sys.executable, "-m", "seedbed", "train", "-m", *arguments, *DDP, *QUICK]
    return subprocess.run(
        command, cwd=folder, text=True, capture_output=True, timeout=LIMIT_SECONDS, check=False
    )


@pytest.mark.slow
@pytest.mark.parametrize("launcher", LAUNCHERS.values(), ids=LAUNCHERS.keys())
def test_a_rank_that_fails_ends_its_run_and_the_others_go_on(
    launcher: tuple[str, ...], tmp_path: Path
) -> None:
    done = study(tmp_path, *ONE_FAILS, *launcher)
    assert done.returncode == 1, done.stderr
    parent, runs = family(tmp_path)
    by_rate = {run.data.params["optimizer.lr"]: run for run in runs}
    assert len(runs) == len(by_rate) == 2
    assert by_rate["1e+38"].info.status == parent.info.status == "FAILED"
    assert "objective at step" in by_rate["1e+38"].data.tags["seedbed.error"]
    assert by_rate["0.01"].info.status == "FINISHED"
    typed = {run.data.tags["seedbed.command"].partition("optimizer=")[2] for run in (parent, *runs)}
    assert len(typed) == 1


@pytest.mark.slow
def test_a_search_proposes_once_for_all_ranks(tmp_path: Path) -> None:
    search = ("study=tpe", "study.num_trials=2", "study.num_finalists=null")
    done = study(tmp_path, *search, "optimizer.lr=interval(0.001,0.1)")
    assert done.returncode == 0, done.stderr
    _, runs = family(tmp_path)
    assert [run.info.status for run in runs] == ["FINISHED"] * 2
    assert len({run.data.params["optimizer.lr"] for run in runs}) == 2
