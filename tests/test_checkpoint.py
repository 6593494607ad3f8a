"""The checkpoint that a run goes on from: the newest that can serve, whole and its own, beside the best."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from seedbed.train import run
from tests.conftest import MakeJob
from tests.kills import Moment, killed
from tests.traces import (
    AFTER_FIT,
    COMMON,
    MIDDLE,
    NUM_EPOCHS,
    NUM_STEPS,
    SETTINGS,
    Undisturbed,
    assert_same,
    folder,
    stopped,
    tags,
    trace,
    undisturbed,
)

__all__ = ["undisturbed"]  # a fixture


@pytest.mark.parametrize(
    ("setting", "every"),
    [pytest.param("softmax", 1, marks=pytest.mark.slow), ("mlp", 4), ("cnn", 5), ("scaled", 4)],
)
def test_a_killed_run_goes_on_from_its_last_step_checkpoint(
    make_job: MakeJob, undisturbed: Undisturbed, setting: str, every: int
) -> None:
    job = make_job(*SETTINGS[setting], *COMMON, f"trainer.checkpoint_every_steps={every}")
    run_id = killed(job, MIDDLE)
    run(job, run_id)
    steps = (MIDDLE.call - 1) // every * every - NUM_STEPS
    assert tags(job, run_id)["seedbed.resumed"].startswith(f"1: after epoch 1 of 3 and {steps} steps on ")
    assert_same(trace(job, run_id), undisturbed(setting))


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def halve(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def of_another_config(path: Path) -> None:
    checkpoint = torch.load(path, weights_only=True)
    checkpoint["seedbed"]["signature"] = "0" * 16
    torch.save(checkpoint, path)


def of_another_program(path: Path) -> None:
    torch.save({"state_dict": {}}, path)


MIDDLE_OF_THE_THIRD = "2 of 3 and 4 steps"
TORN = "expected a whole checkpoint, got "
TAMPERED: list[Any] = [
    ({"last.ckpt": truncate}, MIDDLE_OF_THE_THIRD, [f"last.ckpt refused: {TORN}"]),
    pytest.param(
        {"last.ckpt": halve}, MIDDLE_OF_THE_THIRD, [f"last.ckpt refused: {TORN}"], marks=pytest.mark.slow
    ),
    (
        {"last.ckpt": of_another_config},
        MIDDLE_OF_THE_THIRD,
        ["last.ckpt refused: expected signature ", "000"],
    ),
    ({"last.ckpt": of_another_program}, MIDDLE_OF_THE_THIRD, [f"last.ckpt refused: {TORN}KeyError"]),
    pytest.param({"last.ckpt": Path.unlink}, MIDDLE_OF_THE_THIRD, [], marks=pytest.mark.slow),
    (
        {"last.ckpt": truncate, "previous.ckpt": halve},
        "2 of 3",
        [f"last.ckpt refused: {TORN}", f"previous.ckpt refused: {TORN}"],
    ),
    (
        {"last.ckpt": truncate, "previous.ckpt": Path.unlink, "best.ckpt": of_another_config},
        "0 of 3",
        [f"last.ckpt refused: {TORN}", "best.ckpt refused: expected signature "],
    ),
]


@pytest.mark.parametrize(("tampered", "place", "told"), TAMPERED)
def test_a_checkpoint_that_cannot_serve_is_refused_by_name_and_the_one_before_it_serves(
    make_job: MakeJob,
    undisturbed: Undisturbed,
    monkeypatch: pytest.MonkeyPatch,
    tampered: Mapping[str, Callable[[Path], None]],
    place: str,
    told: list[str],
) -> None:
    job = make_job(*SETTINGS["softmax"], *COMMON, "trainer.checkpoint_every_steps=4")
    run_id = stopped(job, monkeypatch, NUM_STEPS * 2 + 5)
    for name, tamper in tampered.items():
        tamper(folder(job, run_id) / name)
    run(job, run_id)
    line = tags(job, run_id)["seedbed.resumed"]
    assert line.startswith(f"1: after epoch {place} on ")
    assert [words for words in told if words not in line] == []
    assert ("refused" in line) == bool(told)
    assert_same(trace(job, run_id), undisturbed("softmax"))


@pytest.mark.parametrize("moment", [AFTER_FIT, Moment("seedbed.callbacks", "save", 2)])
def test_a_best_epoch_that_is_not_the_last_stays_the_best(
    make_job: MakeJob, undisturbed: Undisturbed, moment: Moment
) -> None:
    job = make_job(*SETTINGS["overshooting"], *COMMON)
    run_id = killed(job, moment)
    run(job, run_id)
    expected = undisturbed("overshooting")
    assert expected.history["best_val/epoch"] == [(NUM_EPOCHS, NUM_EPOCHS - 1)]
    assert_same(trace(job, run_id), expected)


def test_the_last_checkpoint_cannot_serve_without_the_best_one(
    make_job: MakeJob, undisturbed: Undisturbed
) -> None:
    job = make_job(*SETTINGS["overshooting"], *COMMON)
    run_id = killed(job, AFTER_FIT)
    (folder(job, run_id) / "best.ckpt").unlink()
    run(job, run_id)
    told = tags(job, run_id)["seedbed.resumed"]
    assert told.startswith("1: after epoch 2 of 3 on ")  # the previous one, which is its own best
    assert told.endswith("; last.ckpt refused: expected best.ckpt of epoch 2 beside it, got none")
    assert_same(trace(job, run_id), undisturbed("overshooting"))


def test_seconds_of_a_resumed_run_count_from_its_beginning(
    make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job(*SETTINGS["softmax"], *COMMON)
    run_id = stopped(job, monkeypatch, NUM_STEPS * 2 + 1)
    checkpoint = torch.load(folder(job, run_id) / "last.ckpt", weights_only=True)
    checkpoint["callbacks"]["EpochEnd"]["_earlier"] = {"wall": 1000.0, "cpu": 2000.0}
    torch.save(checkpoint, folder(job, run_id) / "last.ckpt")
    metrics = run(job, run_id).metrics
    assert 1000 < metrics["fit/wall_seconds"] < 1500
    assert 2000 < metrics["fit/cpu_seconds"] < 2500
