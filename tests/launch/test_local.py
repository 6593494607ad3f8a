"""Several runs at a time on this machine: real processes, started from saved jobs."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from seedbed.launch.devices import VISIBLE
from seedbed.launch.task import tasks
from tests.study.conftest import QUICK, family

LIMIT_SECONDS = 240
TWO = ("-m", "seed=0,1", "launch.num_parallel=2")
ENDLESS = ("trainer.max_epochs=100000", *QUICK[1:])
LONG = ("trainer.max_epochs=150", *QUICK[1:])


def started(folder: Path, *arguments: str, **variables: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "seedbed", "train", *arguments],
        cwd=folder,
        env=os.environ | variables,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + LIMIT_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.05)


def at_work(folder: Path) -> bool:
    """Whether both runs have a checkpoint."""
    return len(list(folder.glob("mlruns/runs/*/last.ckpt"))) == 2


def status(folder: Path) -> str:
    return subprocess.check_output([sys.executable, "-m", "seedbed", "status", "last"], cwd=folder, text=True)


def variable(process: psutil.Process, name: str) -> str | None:
    return process.environ().get(name)


def test_a_run_that_fails_in_its_process_ends_alone(tmp_path: Path) -> None:
    rates = ("optimizer=sgd", "schedule=constant", "optimizer.lr=1e38,1e-2")
    study = started(tmp_path, "-m", *rates, "launch.num_parallel=2", *QUICK)
    out, _ = study.communicate(timeout=LIMIT_SECONDS)
    assert study.returncode == 1, out
    parent, runs = family(tmp_path)
    by_rate = {run.data.params["optimizer.lr"]: run for run in runs}
    assert by_rate["1e+38"].info.status == parent.info.status == "FAILED"
    assert "objective at step" in by_rate["1e+38"].data.tags["seedbed.error"]
    assert by_rate["0.01"].info.status == "FINISHED"
    assert len({run.data.tags["seedbed.command"] for run in (parent, *runs)}) == 1


@pytest.mark.slow
def test_ctrl_c_stops_every_run_and_the_same_command_goes_on_with_them(tmp_path: Path) -> None:
    gpus = {VISIBLE: "one,other", "TMPDIR": str(tmp_path)}
    study = started(tmp_path, *TWO, *LONG, **gpus)
    until(lambda: at_work(tmp_path))
    children = psutil.Process(study.pid).children()
    assert {variable(child, VISIBLE) for child in children} == {"one", "other"}
    study.send_signal(signal.SIGINT)
    out, _ = study.communicate(timeout=LIMIT_SECONDS)
    assert study.returncode == 128 + signal.SIGINT, out
    assert not any(child.is_running() for child in children)
    parent, runs = family(tmp_path)
    assert [run.info.status for run in (parent, *runs)] == ["KILLED"] * 3
    again = started(tmp_path, *TWO, *LONG)
    out, _ = again.communicate(timeout=LIMIT_SECONDS)
    assert again.returncode == 0, out
    _, finished = family(tmp_path)
    assert [run.info.run_id for run in finished] == [run.info.run_id for run in runs]
    assert all(run.data.tags["seedbed.resumed"].startswith("1: after epoch ") for run in finished)


@pytest.mark.slow
def test_no_process_outlives_a_study_that_is_killed(tmp_path: Path) -> None:
    study = started(tmp_path, *TWO, *ENDLESS)
    until(lambda: at_work(tmp_path))
    children = psutil.Process(study.pid).children()
    assert "\n2 running\n" in status(tmp_path)
    study.kill()
    study.communicate(timeout=LIMIT_SECONDS)
    until(lambda: not any(child.is_running() for child in children))
    assert "\n2 lost\n" in status(tmp_path)


@pytest.mark.slow
def test_a_process_that_dies_without_a_word_is_told_with_the_end_of_its_log(tmp_path: Path) -> None:
    study = started(tmp_path, *TWO, *ENDLESS)
    until(lambda: at_work(tmp_path))
    parent, _ = family(tmp_path)
    first, second = tasks(tmp_path / "mlruns" / "runs" / parent.info.run_id)
    for child in psutil.Process(study.pid).children():
        child.send_signal(signal.SIGKILL if str(first.folder) in child.cmdline() else signal.SIGTERM)
    out, _ = study.communicate(timeout=LIMIT_SECONDS)
    assert study.returncode == 1, out
    _, runs = family(tmp_path)
    by_id = {run.info.run_id: run for run in runs}
    assert by_id[str(first.run_id)].info.status == "FAILED"
    assert "got signal SIGKILL without a word" in by_id[str(first.run_id)].data.tags["seedbed.error"]
    assert by_id[str(second.run_id)].info.status == "KILLED"


@pytest.mark.parametrize(
    ("argument", "text"),
    [
        ("launch.num_parallel=0", "launch.num_parallel: expected 1 or more, got 0."),
        ("launch.num_paralel=2", "launch.num_paralel: expected a key of the chosen options, got one that"),
        ("launch=slurm launch.memory=2", "launch.memory: expected a key of the chosen options, got one that"),
        ("launch=cloud", "launch: expected one of local, slurm, stacked, got 'cloud'."),
    ],
)
def test_what_cannot_work_is_refused_by_name(tmp_path: Path, argument: str, text: str) -> None:
    study = started(tmp_path, "-m", "seed=0,1", *argument.split())
    out, _ = study.communicate(timeout=LIMIT_SECONDS)
    assert (study.returncode, out.partition("\n")[0].startswith(f"seedbed: {text}")) == (2, True), out
    assert not (tmp_path / "mlruns").exists()


def test_how_many_at_a_time_says_nothing_in_a_single_run(tmp_path: Path) -> None:
    run = started(tmp_path, "launch.num_parallel=2")
    out, _ = run.communicate(timeout=LIMIT_SECONDS)
    assert "launch.num_parallel: expected a study, because a single run does not heed it" in out
