"""A run that goes on with other decoding threads or torch threads than it began with."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

from seedbed.job import Job
from seedbed.resuming import under
from seedbed.train import run
from tests.conftest import MakeJob
from tests.data.tiny import write_folder
from tests.kills import Moment, killed
from tests.traces import COMMON, SETTINGS, Trace, assert_same, tags, trace

# float32: two threads add the terms of a sum in another order than one does, over 30 steps.
OTHER_ORDER = 1e-4
TENTH_STEP = Moment("seedbed.classifier", "Classifier.step", 10)
STEPWISE = "trainer.checkpoint_every_steps=1"


def cut_and_resumed(job: Job, moment: Moment, overrides: Sequence[str]) -> Trace:
    """A run whose process is killed inside an epoch and that goes on in other circumstances."""
    run_id = killed(job, moment)
    run(under(job, overrides), run_id)
    told = tags(job, run_id)["seedbed.resumed"]
    assert " steps on " in told
    assert told.endswith("; with " + ", ".join(overrides))
    return trace(job, run_id)


def steps(of: Trace) -> dict[str, list[int]]:
    return {name: [step for step, _ in points] for name, points in of.history.items()}


@pytest.mark.filterwarnings("ignore:This DataLoader will create:UserWarning")  # a machine of one core
@pytest.mark.parametrize(("before", "after"), [(0, 2), pytest.param(2, 1, marks=pytest.mark.slow)])
def test_other_workers_give_the_same_bits(make_job: MakeJob, tmp_path: Path, before: int, after: int) -> None:
    photos = write_folder(tmp_path / "photos")
    streamed = (
        "data=image_folder",
        f"data.root={photos}",
        f"data.cache_dir={tmp_path / 'cache'}",
        "data.image_size=8",
        "data.crop_padding=1",
        "data.batch_size=7",
        "data.memory_limit_gib=0",
        "model=cnn",
        "model.channels=[4,4]",
        "model.hidden_features=16",
        "track.log_model=false",
        STEPWISE,
        *COMMON,
    )
    whole = make_job(*streamed, "data.num_workers=0")
    cut = make_job(*streamed, f"data.num_workers={before}", f"track.root={tmp_path / 'cut'}")
    expected = trace(whole, run(whole).run_id)
    assert_same(cut_and_resumed(cut, TENTH_STEP, [f"data.num_workers={after}"]), expected)


def test_other_threads_give_the_same_up_to_rounding(make_job: MakeJob, tmp_path: Path) -> None:
    whole = make_job(*SETTINGS["mlp"], *COMMON)
    cut = make_job(*SETTINGS["mlp"], *COMMON, STEPWISE, f"track.root={tmp_path / 'cut'}")
    expected = trace(whole, run(whole).run_id)
    got = cut_and_resumed(cut, TENTH_STEP, ["trainer.num_threads=2"])
    assert steps(got) == steps(expected)
    for name, weights in expected.weights.items():
        torch.testing.assert_close(got.weights[name], weights, rtol=OTHER_ORDER, atol=OTHER_ORDER)
