"""A signal lets the step end, saves, and closes the run; what goes on from there ends as if undisturbed."""

import os
import signal
from typing import Any

import pytest

from seedbed.saving import StepEnd
from seedbed.train import run
from tests.conftest import MakeJob
from tests.traces import (
    COMMON,
    MIDDLE,
    NUM_STEPS,
    SETTINGS,
    Undisturbed,
    assert_same,
    client_of,
    folder,
    stopped,
    tags,
    trace,
    undisturbed,
)

__all__ = ["undisturbed"]  # a fixture


@pytest.mark.parametrize(
    ("setting", "step", "place"),
    [
        ("softmax", 1, "epoch 0 of 3 and 1 step"),
        pytest.param("softmax", NUM_STEPS - 1, "epoch 0 of 3 and 17 steps", marks=pytest.mark.slow),
        ("softmax", NUM_STEPS, "epoch 1 of 3"),
        ("mlp", MIDDLE.call, "epoch 1 of 3 and 9 steps"),
        pytest.param("overshooting", NUM_STEPS * 3 - 1, "epoch 2 of 3 and 17 steps", marks=pytest.mark.slow),
        pytest.param("softmax", NUM_STEPS * 3, "epoch 3 of 3", marks=pytest.mark.slow),
    ],
)
def test_a_run_stopped_by_a_signal_goes_on_with_the_next_step(
    make_job: MakeJob,
    undisturbed: Undisturbed,
    monkeypatch: pytest.MonkeyPatch,
    setting: str,
    step: int,
    place: str,
) -> None:
    job = make_job(*SETTINGS[setting], *COMMON)
    run_id = stopped(job, monkeypatch, step)
    assert client_of(job).get_run(run_id).info.status == "KILLED"
    run(job, run_id)
    assert tags(job, run_id)["seedbed.resumed"].startswith(f"1: after {place} on ")
    assert_same(trace(job, run_id), undisturbed(setting))


@pytest.mark.parametrize("signals", [1, 2])
def test_a_signal_in_validation_waits_for_the_end_of_the_epoch_and_a_second_one_does_not(
    make_job: MakeJob, undisturbed: Undisturbed, monkeypatch: pytest.MonkeyPatch, signals: int
) -> None:
    job = make_job(*SETTINGS["softmax"], *COMMON, "trainer.checkpoint_every_steps=10")
    run_id = stopped(job, monkeypatch, 2, "validation_step", signals)
    run(job, run_id)
    place = {1: "after epoch 2 of 3 on", 2: "after epoch 1 of 3 and 12 steps on"}[signals]
    assert tags(job, run_id)["seedbed.resumed"].startswith(f"1: {place}")
    assert_same(trace(job, run_id), undisturbed("softmax"))


def test_a_second_signal_inside_the_checkpoint_of_the_first_leaves_the_one_before_it(
    make_job: MakeJob, undisturbed: Undisturbed, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job(*SETTINGS["softmax"], *COMMON)
    save, sync = StepEnd._save, os.fsync

    def interrupted(descriptor: int) -> None:
        signal.raise_signal(signal.SIGTERM)
        sync(descriptor)

    def saved(self: StepEnd, *arguments: Any) -> None:
        with monkeypatch.context() as inside:
            inside.setattr("seedbed.checkpoint.os.fsync", interrupted)
            save(self, *arguments)

    monkeypatch.setattr(StepEnd, "_save", saved)
    run_id = stopped(job, monkeypatch)
    assert {path.name for path in folder(job, run_id).glob("last.*")} == {"last.ckpt"}
    run(job, run_id)
    assert tags(job, run_id)["seedbed.resumed"].startswith("1: after epoch 1 of 3 on ")
    assert_same(trace(job, run_id), undisturbed("softmax"))
