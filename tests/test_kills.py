"""A hundred SIGKILLs at random moments, in small runs that end as if nobody had disturbed them."""

import signal
import time
from collections.abc import Callable
from typing import NamedTuple

import pytest
from numpy.random import Generator, default_rng

from seedbed.job import Job
from tests.conftest import MakeJob, jobs_in
from tests.kills import Moment, ended, only_run, runs
from tests.traces import AT_ONCE, Trace, assert_same, client_of, trace

# Of kills in all, and of those that one run has to live through at most.
NUM_CHUNKS, NUM_KILLS, MOST = 10, 10, 5
MLP = ("model=mlp", "model.hidden_features=[16]", "model.dropout=0.3")
CNN = (
    "model=cnn",
    "model.channels=[4,4]",
    "model.hidden_features=16",
    "data.crop_padding=1",
    "data.flip=true",
)
SETTINGS = {
    "softmax": ("model=softmax", "optimizer=sgd", "optimizer.momentum=0.9", "schedule=constant"),
    "mlp": (*MLP, "optimizer=adamw", "schedule=one_cycle"),
    "cnn": (*CNN, "optimizer=sgd", "schedule=cosine"),
}
# Five steps an epoch, with a checkpoint after each other one.
SMALL = (
    "data.batch_size=256",
    "trainer.max_epochs=3",
    "trainer.num_threads=1",
    "trainer.checkpoint_every_steps=2",
    "track.log_model=false",
    "evaluate_test=true",
    AT_ONCE,
)
# Each with as many of its calls as there may be; a draw that never comes lets the run end.
MOMENTS = {
    "during a step": (
        Moment("seedbed.classifier", "Classifier.step", 15),
        Moment("torch.optim.lr_scheduler", "LambdaLR.step", 15),  # between the weights and the schedule
        Moment("seedbed.classifier", "Classifier.account", 15),
    ),
    "during the write of a checkpoint": (
        Moment("torch", "save", 9),
        Moment("seedbed.checkpoint", "_written", 12),
        Moment("seedbed.checkpoint", "os.fsync", 24),  # between the bytes, the names, and the folder's sync
        Moment("os", "replace", 40),
        Moment("seedbed.callbacks", "copy_to_best", 3),
    ),
    "during the write of a metric": (
        Moment("os", "write", 6),
        Moment("seedbed.track.journal", "Journal._write", 5),
        Moment("seedbed.track.journal", "Journal.mark_delivered", 5),
        Moment("mlflow", "MlflowClient.log_batch", 8),
    ),
    "between epochs": (
        Moment("seedbed.classifier", "Classifier.validation_step", 3),
        Moment("seedbed.classifier", "Classifier.on_train_epoch_end", 3),
        Moment("seedbed.callbacks", "EpochEnd.on_train_epoch_end", 3),
        Moment("seedbed.saving", "StepEnd.on_train_epoch_end", 3),
        Moment("seedbed.data.loader", "Loader.__iter__", 8),
    ),
}


class Undisturbed(NamedTuple):
    """What a setting gives, and how long a process takes for it."""

    trace: Trace
    seconds: float


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Undisturbed]:
    known: dict[str, Undisturbed] = {}
    with jobs_in(tmp_path_factory.mktemp("undisturbed")) as make:
        jobs = {
            name: make(*setting, *SMALL, f"track.experiment={name}") for name, setting in SETTINGS.items()
        }

    def of(setting: str) -> Undisturbed:
        if setting not in known:
            began = time.perf_counter()
            assert ended(jobs[setting]) == 0
            seconds = time.perf_counter() - began
            known[setting] = Undisturbed(trace(jobs[setting], only_run(jobs[setting])), seconds)
        return known[setting]

    return of


def disturbed(job: Job, random: Generator, seconds: float, most: int) -> int:
    """Runs the job to its end, through up to so many kills; how many it were."""
    for num_kills in range(most):
        code = interrupted(job, random, seconds)
        assert code in (0, -signal.SIGKILL)
        if code == 0:
            return num_kills
        if over(job):
            return num_kills + 1
    assert ended(job, run_id=only_run(job) if runs(job) else None) == 0
    return most


def interrupted(job: Job, random: Generator, seconds: float) -> int | None:
    """Exit code of a process that a kill awaits: at a call, or in one of five cases at a time."""
    run_id = only_run(job) if runs(job) else None
    kinds = [*MOMENTS.values(), None]
    kind = kinds[random.integers(len(kinds))]
    if kind is None:
        return ended(job, run_id=run_id, seconds=random.uniform(0, seconds))
    moment = kind[random.integers(len(kind))]
    return ended(job, [moment], int(random.integers(moment.call)) + 1, run_id)


def over(job: Job) -> bool:
    """Whether the kill came after the run's last word."""
    return [client_of(job).get_run(run_id).info.status for run_id in runs(job)] == ["FINISHED"]


def kill(
    make_job: MakeJob, undisturbed: Undisturbed, setting: str, random: Generator, num_kills: int
) -> None:
    """Runs of one setting, until so many kills have come."""
    number = 0
    while num_kills:
        job = make_job(*SETTINGS[setting], *SMALL, f"track.experiment=run_{number}")
        num_kills -= disturbed(job, random, undisturbed.seconds, min(num_kills, MOST))
        assert_same(trace(job, only_run(job)), undisturbed.trace)
        number += 1


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(NUM_CHUNKS))
def test_a_hundred_kills_move_nothing(
    make_job: MakeJob, undisturbed: Callable[[str], Undisturbed], seed: int
) -> None:
    setting = list(SETTINGS)[seed % len(SETTINGS)]
    kill(make_job, undisturbed(setting), setting, default_rng(seed), NUM_KILLS)


def test_a_few_kills_move_nothing(make_job: MakeJob, undisturbed: Callable[[str], Undisturbed]) -> None:
    kill(make_job, undisturbed("mlp"), "mlp", default_rng(0), 4)
