"""A job that must make room is queued again and goes on in the same run, as if nothing had happened."""

import json
import re
import subprocess
import time
from functools import partial
from pathlib import Path

import pytest
from mlflow.entities import Run

from seedbed.launch.task import Task, tasks
from seedbed.saving import POSITION
from tests.launch.conftest import Desk, said, until

pytestmark = pytest.mark.cluster
NUM_EPOCHS, NUM_STEPS = 16, 1150  # batches of one digit, half a second an epoch
LONG = (
    "data.batch_size=1",
    "optimizer=sgd",
    "schedule=constant",
    "optimizer.lr=0.001",
    f"trainer.max_epochs={NUM_EPOCHS}",
    "evaluate_test=true",
)
KEPT = ("fit/trace.json", "fit/metrics.json", "test/confusion.csv")


def task_of(desk: Desk, waiting: subprocess.Popen[str]) -> Task:
    """Of the test's one single run, once it is in the queue."""

    def found() -> list[Task]:
        own = [
            task for task in tasks(desk.store) if task.job.config["track"]["experiment"] == desk.experiment
        ]
        return [task for task in own if task.ended(0) is None and task.slurm]

    until(found, waiting)
    return found()[0]


def in_mid_epoch(desk: Desk, task: Task, life: int) -> bool:
    """Whether this life of the job is in the first half of an epoch, by a sign of its own."""
    path = desk.store / "runs" / str(task.run_id) / POSITION
    if task.num_lives < life or not path.exists():
        return False
    try:
        told = json.loads(path.read_text())
    except ValueError:  # just being written
        return False
    fresh = time.time() - path.stat().st_mtime < 0.5 and told["began"]["step"] < told["step"]
    return fresh and 0 < told["step"] % NUM_STEPS < NUM_STEPS // 2


def has_lived(task: Task, lives: int) -> bool:
    return task.num_lives >= lives


def same(desk: Desk, run: Run, alone: Run) -> None:
    assert run.info.status == alone.info.status == "FINISHED"
    for path in KEPT:
        assert timeless(desk.artifact(run, path)) == timeless(desk.artifact(alone, path)), path


def timeless(text: str) -> str:
    return re.sub(r'"\S+_seconds": "\S+"', "", text)


def undisturbed(desk: Desk, *arguments: str) -> Run:
    desk.train(*arguments, launch="local")
    return desk.runs()[-1]


def test_a_job_queued_again_twice_in_mid_epoch_ends_as_an_undisturbed_one(desk: Desk) -> None:
    waiting = desk.start(*LONG)
    task = task_of(desk, waiting)
    assert task.slurm is not None
    for life in (1, 2):
        until(partial(in_mid_epoch, desk, task, life), waiting)
        desk.cluster.ask("scancel", "--signal=USR2", task.slurm["job_id"])
        until(partial(has_lived, task, life + 1), waiting)
    said(waiting)
    (run,) = desk.runs()
    lines = run.data.tags["seedbed.resumed"].splitlines()
    assert [bool(re.search(r"and \d+ steps? on ", line)) for line in lines] == [True, True], lines
    assert run.data.tags["seedbed.requeued"] == "2"
    same(desk, run, undisturbed(desk, *LONG))


def test_ranks_stop_at_the_same_step_and_go_on_together(desk: Desk) -> None:
    ranks = ("trainer=ddp", "trainer.devices=2", "trainer.max_epochs=40")
    waiting = desk.start(*ranks)
    task = task_of(desk, waiting)
    assert task.slurm is not None
    until(lambda: task.run_id, waiting)
    until((desk.store / "runs" / str(task.run_id) / POSITION).exists, waiting)
    desk.cluster.ask("scancel", "--signal=USR2", task.slurm["job_id"])
    said(waiting)
    (run,) = desk.runs()
    assert run.info.status == "FINISHED"
    assert run.data.tags["seedbed.requeued"] == "1"
    assert run.data.tags["seedbed.resumed"].startswith("1: after epoch ")


def test_a_job_that_needs_longer_than_its_limit_goes_on_in_another(desk: Desk) -> None:
    limit = ("launch.timeout_minutes=1", "launch.warning_seconds=59")
    desk.train(*LONG, "trainer.max_epochs=100", *limit)
    (run,) = desk.runs()
    assert run.info.status == "FINISHED"
    assert int(run.data.tags["seedbed.requeued"]) >= 1


def test_a_job_fails_that_must_make_room_too_often_and_goes_on_with_the_same_command(desk: Desk) -> None:
    study = ("-m", "seed=0", *LONG)
    waiting = desk.start(*study, "launch.max_requeues=0")
    until(lambda: len(desk.runs()) == 2, waiting)
    parent, run = desk.runs()
    (task,) = tasks(desk.store / "runs" / parent.info.run_id)
    until(lambda: in_mid_epoch(desk, task, 1), waiting)
    assert task.slurm is not None
    desk.cluster.ask("scancel", "--signal=USR2", task.slurm["job_id"])
    told = said(waiting, 1)
    assert "expected its end within launch.max_requeues=0, got one that was cut off 1 times" in told
    assert desk.runs()[1].info.status == "FAILED"
    desk.train(*study)
    _, again = desk.runs()
    assert again.info.run_id == run.info.run_id
    assert again.data.tags["seedbed.resumed"].startswith("1: after epoch ")
    same(desk, again, undisturbed(desk, "seed=0", *LONG))


def test_a_node_that_dies_costs_no_more_than_the_steps_since_the_last_checkpoint(desk: Desk) -> None:
    waiting = desk.start(*LONG, "trainer.checkpoint_every_steps=50")
    task = task_of(desk, waiting)
    assert task.slurm is not None
    until(lambda: in_mid_epoch(desk, task, 1), waiting)
    desk.cluster.ask("scontrol", "requeue", task.slurm["job_id"])  # as it does for a node that is gone
    said(waiting)
    (run,) = desk.runs()
    assert run.data.tags["seedbed.resumed"].startswith("1: after epoch ")
    same(desk, run, undisturbed(desk, *LONG))


def test_a_more_urgent_job_takes_the_place_of_one_that_goes_on_afterwards(desk: Desk) -> None:
    whole = ("launch.cpus_per_task=4", "trainer.num_threads=1")
    nodes = Path(desk.cluster.conf).read_text().count("NodeName=")
    study = ("-m", f"seed=range(0,{nodes})", *LONG, *whole)
    waiting = desk.start(*study)
    until(lambda: len(desk.runs()) == nodes + 1, waiting)
    parent = desk.runs()[0]
    jobs = tasks(desk.store / "runs" / parent.info.run_id)
    until(lambda: any(in_mid_epoch(desk, task, 1) for task in jobs), waiting)
    desk.train("seed=100", "trainer.max_epochs=1", "launch.partition=urgent", *whole)
    said(waiting)
    assert [run.info.status for run in desk.runs()] == ["FINISHED"] * (nodes + 2)
    assert "seedbed.requeued" in {name for run in desk.runs() for name in run.data.tags}
