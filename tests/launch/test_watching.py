"""What a user sees of jobs, and how they are ended: status, logs, cancel, on a real SLURM."""

import os
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
    ended = r"Ended: process \d+ and 3 jobs \(\d+_0, \d+_1, \d+_2\)\. The same command goes on with .*\n"
    assert re.fullmatch(ended, told), told
    assert "3 of 3 jobs go on in the queue, unless seedbed cancel is ending them, too." in said(waiting, 143)
    assert [run.info.status for run in desk.runs()] == ["KILLED"] * 3
    assert desk.cluster.ask("squeue", "--noheader") == ""
    assert "Nothing of it was running or queued." in desk.say("cancel", parent[:8])
    told = desk.say("status", parent[:8])
    assert "2 stopped" in told
    assert "this one does, and goes on with it:\n  seedbed train -m " in told


def test_a_single_job_is_seen_followed_to_its_end_and_goes_on_in_its_run(desk: Desk) -> None:
    single = ("seed=5", "trainer.max_epochs=500", "trainer.checkpoint_every_steps=50")
    waiting = desk.start(*single)
    until(lambda: desk.runs() and desk.runs()[0].data.metrics.get("val/accuracy"), waiting)
    (run,) = desk.runs()
    assert re.search(rf"{run.info.run_name} +│ running │ \d+ of 9000 ", desk.say("status"))
    following = desk.typed("logs", run.info.run_id, "--follow", "--root", str(desk.store))
    assert re.fullmatch(r"Ended: 1 job \(\d+\)\. The same command goes on with .*\n", desk.say("cancel"))
    assert "Starting with JobEnvironment" in said(following)
    assert "seedbed: stopped by SIGTERM; the record says KILLED; the same command goes on" in said(
        waiting, 143
    )
    assert desk.say("status") == "No runs.\n"
    desk.train(*single)
    assert [(again.info.run_id, again.info.status) for again in desk.runs()] == [
        (run.info.run_id, "FINISHED")
    ]


def test_whoever_asks_for_the_log_of_a_study_is_told_its_runs(desk: Desk) -> None:
    desk.train("-m", "seed=0", "trainer.max_epochs=1")
    parent, _ = desk.runs()
    told = desk.say("logs", parent.info.run_id, code=2)
    assert "expected one of its runs, got a study. Name one, such as `seedbed logs 'run'`" in told


def test_a_follower_leaves_a_job_that_was_killed_without_a_word(desk: Desk) -> None:
    waiting = desk.start("trainer.max_epochs=2000")
    until(desk.runs, waiting)
    (run,) = desk.runs()
    waiting.kill()
    waiting.communicate()
    following = desk.typed("logs", run.info.run_id, "--follow", "--root", str(desk.store))
    desk.cluster.ask("scancel", "--signal=KILL", f"--user={os.getuid()}", "--state=RUNNING")
    assert "Starting with JobEnvironment" in said(following)


def test_a_run_that_failed_is_shown_with_the_end_of_its_log(desk: Desk) -> None:
    failing = ("-m", "seed=0", "optimizer=sgd", "schedule=constant", "optimizer.lr=1e38")
    desk.train(*failing, code=1)
    parent, run = desk.runs()
    told = desk.say("status", parent.info.run_id)
    assert re.search(r"│ failed │", told), told
    assert f"The last lines of {run.info.run_name}:" in told
    assert "objective at step" in told
    assert "seedbed: " in desk.say("logs", run.info.run_id, "--follow")
