"""Runs as jobs of a real SLURM: arrays, ranks on one node and on two, devices, refusals."""

import json
import os
import re
import signal
from pathlib import Path

import pytest

from seedbed.launch.task import Task, tasks
from seedbed.track.hold import holder
from tests.launch.conftest import Desk, said, until

pytestmark = pytest.mark.cluster
SHORT = ("trainer.max_epochs=2", "evaluate_test=true")


def of_study(desk: Desk) -> list[Task]:
    return tasks(desk.store / "runs" / desk.runs()[0].info.run_id)


def test_a_grid_of_four_is_one_array_and_no_two_jobs_share_a_gpu(desk: Desk) -> None:
    seen = 'launch.setup=["echo seen $SLURMD_NODENAME $CUDA_VISIBLE_DEVICES"]'
    out = desk.train("-m", "optimizer.lr=0.01,0.1", "seed=0,1", seen, *SHORT)
    parent, *runs = desk.runs()
    assert [run.info.status for run in (parent, *runs)] == ["FINISHED"] * 5, out
    numbers = [(task.slurm or {})["job_id"].split("_") for task in of_study(desk)]
    assert len({array for array, _ in numbers}) == 1
    assert {element for _, element in numbers} == {"0", "1", "2", "3"}
    places = [re.findall(r"seen (\S+) (\S+)", task.log.read_text()) for task in of_study(desk)]
    assert len({tuple(found[0]) for found in places}) == 4
    desk.train("optimizer.lr=0.1", "seed=1", *SHORT, launch="local")
    *_, alone = desk.runs()
    (same,) = (
        run for run in runs if run.data.tags["seedbed.signature"] == alone.data.tags["seedbed.signature"]
    )
    assert desk.artifact(same, "fit/trace.json") == desk.artifact(alone, "fit/trace.json")
    assert same.data.params == alone.data.params


@pytest.mark.parametrize(("devices", "num_nodes"), [(2, 1), (1, 2)])
def test_ranks_train_together_on_one_node_and_on_two(desk: Desk, devices: int, num_nodes: int) -> None:
    desk.train(
        "trainer=ddp",
        f"trainer.devices={devices}",
        f"trainer.num_nodes={num_nodes}",
        'launch.setup=["export GLOO_SOCKET_IFNAME=lo"]',  # the host's own name may not resolve
        *SHORT,
    )
    (run,) = desk.runs()
    assert run.info.status == "FINISHED"
    assert json.loads(desk.artifact(run, "provenance/in_force.json"))["world_size"] == 2


def kill(desk: Desk, task: Task) -> None:
    """Ends the process that holds the task's run, as the kernel does where memory is short."""
    process = holder(desk.store / "runs" / str(task.run_id))
    assert process
    os.kill(process, signal.SIGKILL)


def test_a_job_that_is_killed_is_noticed_and_told_with_the_end_of_its_log(desk: Desk) -> None:
    study = desk.start("-m", "seed=0,1", "trainer.max_epochs=1000")
    until(lambda: len(desk.runs()) == 3, study)
    killed, other = of_study(desk)
    kill(desk, killed)
    until(lambda: [run for run in desk.runs() if run.info.status == "FAILED"], study)
    (run,) = (run for run in desk.runs() if run.info.status == "FAILED")
    assert run.info.run_id == killed.run_id
    assert "without a word (SLURM job " in run.data.tags["seedbed.error"]
    assert "The last lines of its log:" in desk.artifact(run, "error.txt")
    kill(desk, other)
    assert "2 failed" in said(study, 1)


def test_who_stops_waiting_finds_the_jobs_again_beside_another_study(desk: Desk) -> None:
    long = ("-m", "seed=0,1", "trainer.max_epochs=600")
    study = desk.start(*long)
    until(lambda: len(desk.runs()) == 3, study)
    study.send_signal(signal.SIGINT)
    told = said(study, 130)
    parent = desk.runs()[0]
    named = f"{parent.info.run_id[:8]} --root {desk.store}"
    assert re.search(r"^Submitted: 2 jobs \(SLURM \d+\)\. Ctrl-C only ends the waiting\.", told, re.MULTILINE)
    assert re.search(rf"2 of 2 jobs go on in the queue\..*seedbed cancel {named};", told)
    assert parent.info.status == "RUNNING"
    submitted = [task.slurm for task in of_study(desk)]
    other, again = desk.start("-m", "seed=7,8", *SHORT), desk.start(*long)
    said(other)
    told = said(again)
    assert "In the queue already, as an earlier command asked for it: 2 jobs (SLURM " in told
    assert "Submitted: " not in told
    assert [run.info.status for run in desk.runs()] == ["FINISHED"] * 6
    assert [task.slurm for task in of_study(desk)] == submitted


def leftovers(folder: Path) -> list[str]:
    found = [*folder.glob("runs/*"), *folder.glob("tasks/*"), *folder.glob("slurm/*")]
    return sorted(map(str, found))


@pytest.mark.parametrize("several", [(), ("-m", "seed=0,1")])
def test_a_partition_that_is_not_there_is_refused_and_nothing_recorded(
    desk: Desk, several: tuple[str, ...]
) -> None:
    before = leftovers(desk.store)
    told = desk.train(*several, "launch.partition=nowhere", code=2)
    assert (
        "seedbed: launch.partition: expected one of main, urgent, got 'nowhere'. Choose one of these" in told
    )
    assert (leftovers(desk.store), desk.runs()) == (before, [])


def test_more_than_any_node_has_is_refused_and_the_study_taken_back(desk: Desk) -> None:
    before = leftovers(desk.store)
    told = desk.train("-m", "seed=0,1", "launch.memory_gib=900", code=2)
    assert "Requested node configuration is not available" in told
    assert re.search(r"Asked for was --nodes=1 .*--mem=921600M", told)
    assert (leftovers(desk.store), desk.runs()) == (before, [])


def test_more_machines_than_there_are_is_refused_instead_of_waiting_without_end(desk: Desk) -> None:
    told = desk.train("trainer=ddp", "trainer.num_nodes=9", code=2)
    assert "trainer.num_nodes: expected at most 3, the machines of partition main, got 9." in told


def test_what_setup_ended_is_told_with_its_log(desk: Desk) -> None:
    told = desk.train('launch.setup=["echo no such module", "exit 3"]', code=1)
    assert "It never began: launch.setup may have ended it." in told
    log = re.search(r"Its log is (\S+)\.\n", told)
    assert log is not None
    assert "no such module" in Path(log[1]).read_text()


def test_a_submission_that_fails_takes_nothing_from_an_earlier_run_of_the_same_configuration(
    desk: Desk,
) -> None:
    desk.train(*SHORT)
    (run,) = desk.runs()
    before = desk.say("logs", run.info.run_id)
    desk.train(*SHORT, "launch.memory_gib=900", code=2)
    assert desk.say("logs", run.info.run_id) == before


def test_a_scheduler_that_is_down_is_told_and_nothing_recorded(desk: Desk) -> None:
    before = leftovers(desk.store)
    desk.cluster.end("slurmctld")
    try:
        told = desk.train("-m", "seed=0,1", code=2)
    finally:
        desk.cluster.start_controller()
        desk.cluster.wait_idle()
    assert "expected a scheduler that takes the job, got " in told
    assert "Nothing was submitted." in told
    assert (leftovers(desk.store), desk.runs()) == (before, [])
