"""What a job does on the nodes of a cluster: carries its task out, and queues itself again when told to.

This is the one owner of the requeue. A signal to make room (USR2, before the time limit and at
preemption; TERM, while the scheduler has the job as running) lets the step end and a checkpoint be
written, as every signal does; then the job queues itself again, and its next life goes on in the same
run. One that SLURM itself queues again, with its node gone or by an operator, goes on likewise.
"""

import copy
import os
import signal
import socket
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from seedbed.errors import SeedbedError, Stopped, TrainingError
from seedbed.job import Job
from seedbed.launch import queue
from seedbed.launch.task import Task
from seedbed.stopping import QUEUE_AGAIN, Stopping

RENDEZVOUS = "rendezvous"
REQUEUED = "seedbed.requeued"
POLL_SECONDS = 0.5


class Place(NamedTuple):
    """Where this process is among those of its job.

    Args:
        job_id: SLURM's number of this very job.
        name: the same as the queue shows it, `12_3` for an array's element.
        number: of the task, one a node.
        num_nodes: machines.
        host: name of the first node, by which the others reach it.
        life: how often the job was queued again before.
    """

    job_id: str
    name: str
    number: int
    num_nodes: int
    host: str
    life: int

    @classmethod
    def here(cls) -> "Place":
        """As SLURM says."""
        from submitit.slurm.slurm import SlurmJobEnvironment

        known = SlurmJobEnvironment()
        return cls(
            known.raw_job_id,
            known.job_id,
            known.global_rank,
            known.num_nodes,
            known.hostnames[0],
            int(os.environ.get("SLURM_RESTART_COUNT", "0")),
        )


def carry(folder: str) -> None:
    """What submitit calls in each process of a job: carries out the task in this folder, or helps to."""
    task, place = Task(Path(folder)), Place.here()
    with Stopping().listening():
        try:
            if place.number:
                _lend(task, place)
            elif _own(task, place):
                _carried(task, place)
        except Stopped as stopped:
            signal.signal(QUEUE_AGAIN, signal.SIG_IGN)  # it is heard
            if not place.number:
                _stopped(task, place, stopped)
        except BaseException as error:
            if not place.number:
                task.close(None, error)
            if not isinstance(error, SeedbedError):
                raise
            print(f"seedbed: {error}", file=sys.stderr)  # into the job's log


def _carried(task: Task, place: Place) -> None:
    """The first node's part: makes the run or goes on with it, and says how it ended."""
    from seedbed.launch.errand import carry_out

    earlier = task.live(socket.gethostname())
    _check_lives(task, earlier)
    if earlier:
        _say(task, earlier)
    task.close(carry_out(task, lambda job: _on_nodes(job, task, place)))


def _own(task: Task, place: Place) -> bool:
    """Whether the task is this job's; one whose submission was cut off before it was noted, notes itself."""
    if task.slurm is None:
        task.submitted(place.name, Path(os.environ["SUBMITIT_FOLDER"]) / f"{place.name}_0_log.out")
    return task.slurm is not None and task.slurm["job_id"] == place.name


def _on_nodes(job: Job, task: Task, place: Place) -> Job:
    """The job with the address where its machines meet, which this one has just chosen."""
    if place.num_nodes == 1:
        return job
    config = copy.deepcopy(job.config)
    with socket.create_server((place.host, 0)) as free:
        address = f"{place.host}:{free.getsockname()[1]}"
    config["trainer"]["rendezvous"] = address
    task.write(RENDEZVOUS, f"{place.life} {address}")
    return replace(job, config=config)


def _lend(task: Task, place: Place) -> None:
    """Joins the first node's run, once it says where; in this life of the job, not in an earlier one."""
    from seedbed.ranks.group import join

    deadline = time.monotonic() + task.job.config["trainer"]["timeout_minutes"] * 60
    while time.monotonic() < deadline and task.ended(0) is None:
        life, _, address = (task.read(RENDEZVOUS) or "").partition(" ")
        if life == str(place.life):
            join(address)
            return
        time.sleep(POLL_SECONDS)


def _stopped(task: Task, place: Place, stopped: Stopped) -> None:
    """Queues the job again where it is to make room, and says so on its run.

    Where the scheduler itself ends it, that is left to the scheduler: it may have cancelled the job or
    queued it again, and tells who waits which of the two.
    """
    if stopped.signal_number != QUEUE_AGAIN and _ended_by_scheduler(place):
        return
    try:
        _check_lives(task, task.num_lives)
        _say(task, task.num_lives)
        queue.requeue(place.job_id)
    except (TrainingError, queue.QueueError) as error:
        failed = error if isinstance(error, TrainingError) else _kept_out(task, str(error))
        _fail(task, failed)
        task.close(None, failed)


def _ended_by_scheduler(place: Place) -> bool:
    """Whether the signal is the first part of an end: a job that may still make room is RUNNING."""
    try:
        told = queue.asked("scontrol", "--oneliner", "show", "job", place.job_id)
    except queue.QueueError:
        return True
    return "JobState=RUNNING" not in told


def _check_lives(task: Task, earlier: int) -> None:
    """Refuses one life more than `launch.max_requeues` allows.

    Raises:
        TrainingError: saying what to raise.
    """
    most = task.job.config["launch"]["max_requeues"]
    if earlier > most:
        raise TrainingError(
            task.name,
            expected=f"its end within launch.max_requeues={most}",
            got=f"one that was cut off {earlier} times",
            do="Raise that or launch.timeout_minutes; the same command goes on from its last checkpoint.",
        )


def _kept_out(task: Task, said: str) -> TrainingError:
    return TrainingError(
        task.name,
        expected="a scheduler that queues it again",
        got=said,
        do="The same command goes on from its last checkpoint.",
    )


def _say(task: Task, requeued: int) -> None:
    """The run is not over, although its process is; one that only did not come to say so is."""
    from seedbed.track.record import Record
    from seedbed.track.resumption import standing
    from seedbed.track.store import Store

    if task.run_id is None:
        return
    store = Store.open(Path(task.job.config["track"]["root"]), may_be_away=True)
    if standing(store, task.run_id).status != "FINISHED":
        record = Record.resume(store, task.run_id, params={}, same={})
        record.set_tags({REQUEUED: str(requeued)})
        record.leave()


def _fail(task: Task, error: TrainingError) -> None:
    from seedbed.track.record import Record
    from seedbed.track.store import Store

    if task.run_id is not None:
        store = Store.open(Path(task.job.config["track"]["root"]), may_be_away=True)
        Record.resume(store, task.run_id, params={}, same={}).fail(error)
