"""What a user sees of jobs, and how they are ended: status, logs, cancel, on a real SLURM."""

import re

import pytest

from seedbed.launch.task import tasks
from tests.launch.conftest import Desk, said, until

pytestmark = pytest.mark.cluster
LONG = ("trainer.max_epochs=2000",)


def test_a_study_is_seen_from_queue_to_end_and_cancelled(desk: Desk) -> None:
    study = ("-m", "seed=0,1,2", "launch.array_parallelism=2", *LONG)
    waiting = desk.start(*study)
    until(lambda: len(desk.runs()) == 3, waiting)
    parent = desk.runs()[0].info.run_id
    first = tasks(desk.store / "runs" / parent)[0]
    until(lambda: len(list(desk.store.glob(f"runs/{first.run_id}/position.json"))), waiting)
    told = desk.say("status", parent[:8])
    assert re.search(r"2 running, 1 queued", told), told
    assert re.search(r"seed 0 +│ running │ \d+ of 36000 +│ val/accuracy 0\.\d+ +│ 127\.0\.0\.\d ", told), told
    assert re.search(r"seed 2 +│ queued .* JobArrayTaskLimit ", told), told
    assert "Starting with JobEnvironment" in desk.say("logs", str(first.run_id))
    told = desk.say("cancel", parent[:8])
    assert re.fullmatch(r"Ended: process \d+ and 3 jobs \(\d+_0, \d+_1, \d+_2\)\.\n", told), told
    assert "3 of 3 jobs go on in the queue" in said(waiting, 143)
    assert [run.info.status for run in desk.runs()] == ["KILLED"] * 3
    assert desk.cluster.ask("squeue", "--noheader") == ""
    assert "Nothing of it was running or queued." in desk.say("cancel", parent[:8])
    assert "2 stopped" in desk.say("status", parent[:8])


def test_a_run_that_failed_is_shown_with_the_end_of_its_log(desk: Desk) -> None:
    failing = ("-m", "seed=0", "optimizer=sgd", "schedule=constant", "optimizer.lr=1e38")
    desk.train(*failing, code=1)
    parent, run = desk.runs()
    told = desk.say("status", parent.info.run_id)
    assert re.search(r"│ failed │", told), told
    assert f"The last lines of {run.info.run_name}:" in told
    assert "objective at step" in told
    assert "seedbed: " in desk.say("logs", run.info.run_id, "--follow")
