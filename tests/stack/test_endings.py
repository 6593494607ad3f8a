"""Each member of a stack comes to an ending of its own, and one that was cut off goes on alone."""

import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mlflow import MlflowClient

from seedbed.errors import Pruned, Stopped, TrainingError
from seedbed.job import Job
from seedbed.pruning import Watch
from seedbed.stack.together import together
from seedbed.stack.training import Stack
from seedbed.train import run
from tests.conftest import MakeJob
from tests.kills import LIMIT_SECONDS, SERVER
from tests.stack.serial import alone, left, vary
from tests.stack.test_agreement import TOLERANCE, assert_same, assert_same_kind
from tests.traces import NUM_STEPS, client_of, folder, stopped

COMMON = ("data=digits", "model=softmax", "optimizer=sgd", "schedule=constant", "trainer.max_epochs=3")
PRECISE = ("trainer.precision=64-true", "track.log_model=false", "trainer.num_threads=1")
RATES = [{"optimizer.lr": rate} for rate in (0.1, 0.2, 0.3)]


def rate(job: Job) -> float:
    return float(job.config["optimizer"]["lr"])


def run_id_of(job: Job) -> str:
    """The run of a job that has ended in any way, told by its learning rate."""
    client = client_of(job)
    experiment = client.get_experiment_by_name("seedbed")
    assert experiment is not None
    found = client.search_runs([experiment.experiment_id], f"params.`optimizer.lr` = '{rate(job)}'")
    (run,) = found
    return str(run.info.run_id)


def test_a_member_whose_objective_is_no_number_fails_alone_with_the_words_of_a_run_of_its_own(
    make_job: MakeJob,
) -> None:
    jobs = vary(make_job(*COMMON, *PRECISE, "trainer.precision=32-true"), *RATES, {"optimizer.lr": 1e38})
    endings = {number: (error, outcome) for number, error, outcome in together(jobs, shares=True)}
    error, outcome = endings.pop(3)
    assert isinstance(error, TrainingError)
    assert outcome is None
    failed = client_of(jobs[3]).get_run(run_id_of(jobs[3]))
    assert failed.info.status == "FAILED"
    with pytest.raises(TrainingError) as told:
        run(jobs[3])
    assert str(error) == str(told.value)
    for number, (error, outcome) in endings.items():
        assert error is None
        assert outcome is not None
        assert_same(left(jobs[number], outcome.run_id), alone(jobs[number]), TOLERANCE["32-true"])


@pytest.mark.parametrize("shares", [True, False], ids=["shared batches", "own batches"])
def test_a_member_that_a_search_ends_leaves_what_a_run_of_its_own_would_and_the_others_go_on(
    make_job: MakeJob, monkeypatch: pytest.MonkeyPatch, shares: bool
) -> None:
    def watch_of(job: Job) -> Watch:
        def watch(epoch: int, _: Any) -> None:
            if rate(job) == 0.2 and epoch == 2:
                raise Pruned(epoch, "hopeless")

        return watch

    monkeypatch.setattr("seedbed.stack.member.watch_of", watch_of)
    jobs = vary(make_job(*COMMON, *PRECISE), *RATES)
    endings = list(together(jobs, shares=shares))
    number, error, outcome = endings[0]
    assert (number, error) == (1, None)
    assert outcome is not None
    assert outcome.pruned
    found = client_of(jobs[1]).get_run(outcome.run_id)
    assert found.info.status == "KILLED"
    assert found.data.tags["seedbed.pruned"] == "epoch 2 of 3: hopeless"
    assert [outcome.pruned for _, _, outcome in endings[1:] if outcome] == [False, False]
    for number, _, outcome in endings[1:]:
        assert outcome is not None
        assert_same(left(jobs[number], outcome.run_id), alone(jobs[number]), TOLERANCE["64-true"])


def test_a_signal_lets_every_member_save_and_each_goes_on_alone(
    make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = vary(make_job(*COMMON, *PRECISE, "optimizer.momentum=0.9"), *RATES)
    step, middle = Stack.step, NUM_STEPS * 3 // 2

    def counted(self: Stack, *arguments: Any) -> None:
        if self.num_steps_done == middle - 1:
            signal.raise_signal(signal.SIGINT)
        step(self, *arguments)

    with monkeypatch.context() as patched:
        patched.setattr(Stack, "step", counted)
        with pytest.raises(Stopped):
            list(together(jobs, shares=True))
    cut_off = [run_id_of(job) for job in jobs]
    for job, run_id in zip(jobs, cut_off, strict=True):
        assert client_of(job).get_run(run_id).info.status == "KILLED"
        saved = torch.load(folder(job, run_id) / "last.ckpt", weights_only=True)
        assert saved["so_far"]["num_steps"] == middle
        run(job, run_id)
        told = client_of(job).get_run(run_id).data.tags["seedbed.resumed"]
        assert told.startswith(f"1: after epoch 1 of 3 and {middle - NUM_STEPS} steps")
    # Of a run that nobody stacked, stopped at the same step.
    own = Path(jobs[0].config["track"]["root"]).with_name("own")
    (lone,) = vary(jobs[0], {"track.root": str(own)})
    lone_id = stopped(lone, monkeypatch)
    assert_same_kind(saved, torch.load(folder(lone, lone_id) / "last.ckpt", weights_only=True))
    run(lone, lone_id)
    assert_same(left(jobs[0], cut_off[0]), left(lone, lone_id), TOLERANCE["64-true"])


def test_members_of_a_process_that_was_killed_go_on_from_their_own_checkpoints(make_job: MakeJob) -> None:
    jobs = vary(make_job(*COMMON, *PRECISE), *RATES)
    process = SERVER.Process(target=killed_at, args=(jobs, NUM_STEPS * 2 + 3))
    process.start()
    process.join(LIMIT_SECONDS)
    assert process.exitcode == -signal.SIGKILL
    for job in jobs:
        run_id = run_id_of(job)
        assert client_of(job).get_run(run_id).info.status == "RUNNING"
        run(job, run_id)
        member, serial = left(job, run_id), alone(job)
        np.testing.assert_allclose(member.objectives, serial.objectives, rtol=0, atol=1e-10)
        assert member.history.keys() == serial.history.keys()
        assert client_of(job).get_run(run_id).data.tags["seedbed.resumed"].startswith("1: after epoch 2 of 3")


def killed_at(jobs: list[Job], num_steps: int) -> None:
    """The process that is killed."""
    step = Stack.step

    def counted(self: Stack, *arguments: Any) -> None:
        if self.num_steps_done == num_steps:
            os.kill(os.getpid(), signal.SIGKILL)
        step(self, *arguments)

    Stack.step = counted  # type: ignore[method-assign, assignment]
    list(together(jobs, shares=True))


def test_a_job_that_cannot_begin_fails_alone(make_job: MakeJob) -> None:
    jobs = vary(
        make_job(*COMMON, *PRECISE), {"optimizer.lr": 0.1}, {"optimizer.lr": -1.0}, {"optimizer.lr": 0.2}
    )
    endings = {number: error for number, error, _ in together(jobs, shares=True)}
    assert str(endings[1]).startswith("optimizer.lr: expected above 0, got -1")
    assert endings[0] is endings[2] is None


def test_an_error_of_the_training_itself_is_on_every_record(
    make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise MemoryError("no room for so many")

    monkeypatch.setattr(Stack, "step", broken)
    jobs = vary(make_job(*COMMON, *PRECISE), *RATES)
    endings = list(together(jobs, shares=True))
    assert [str(error) for _, error, _ in endings] == ["no room for so many"] * 3
    client = MlflowClient(client_of(jobs[0]).tracking_uri)
    assert {client.get_run(run_id_of(job)).info.status for job in jobs} == {"FAILED"}
