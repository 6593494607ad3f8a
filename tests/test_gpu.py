"""The same promises on one GPU; these tests skip themselves where there is none."""

import multiprocessing
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from seedbed.job import Job
from seedbed.seat import Seat
from seedbed.train import run
from tests.conftest import MakeJob
from tests.every_model import NAMES, job_of
from tests.kills import LIMIT_SECONDS, Moment, only_run, work
from tests.ranked import Fit, fit
from tests.test_determinism import check_same
from tests.test_ranks import artifact

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]
GPU, CPU = "trainer.accelerator=gpu", "trainer.accelerator=cpu"
# Single precision on two kinds of processor, after two epochs.
FLOAT32 = 1e-3
FLOAT64 = 1e-9
# bfloat16 keeps 8 bits of a number.
BFLOAT16 = 5e-2


@pytest.fixture(autouse=True)
def _without_tf32(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Convolutions in single precision, not in the ten bits that cuDNN takes for it."""
    allowed = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    monkeypatch.setattr("seedbed.model.alexnet.HIDDEN_FEATURES", 32)
    yield
    torch.backends.cudnn.allow_tf32 = allowed


def distance(one: Fit, other: Fit) -> float:
    return max(float(np.abs(one.weights[name] - other.weights[name]).max()) for name in one.weights)


@pytest.mark.parametrize("name", NAMES)
def test_a_model_trained_twice_on_a_gpu_has_the_same_bits(
    make_job: MakeJob, tmp_path: Path, name: str
) -> None:
    job = job_of(make_job, name, tmp_path, GPU)
    check_same(*(fit(Seat(), job, tmp_path / str(place)) for place in range(2)))


@pytest.mark.parametrize(("precision", "allowed"), [("32-true", FLOAT32), ("64-true", FLOAT64)])
@pytest.mark.parametrize("name", NAMES)
def test_a_gpu_goes_where_the_cpu_goes(
    make_job: MakeJob, tmp_path: Path, name: str, precision: str, allowed: float
) -> None:
    # Not AdamW, which divides a gradient that is nothing but rounding by its own size.
    keys = ("optimizer=sgd", "optimizer.lr=0.01", f"trainer.precision={precision}")
    gpu, cpu = (
        fit(Seat(), job_of(make_job, name, tmp_path, device, *keys), tmp_path / device)
        for device in (GPU, CPU)
    )
    assert distance(gpu, cpu) < allowed
    assert gpu.test["loss"] == pytest.approx(cpu.test["loss"], abs=allowed)


@pytest.mark.parametrize("precision", ["bf16-mixed", "16-mixed"])
@pytest.mark.parametrize("name", ["mlp", "cnn"])
def test_half_precision_on_a_gpu_goes_where_single_precision_goes(
    make_job: MakeJob, tmp_path: Path, name: str, precision: str
) -> None:
    keys = ("optimizer=sgd", "optimizer.lr=0.01")
    half, single = (
        fit(
            Seat(), job_of(make_job, name, tmp_path, GPU, *keys, f"trainer.precision={kind}"), tmp_path / kind
        )
        for kind in (precision, "32-true")
    )
    assert half.test["loss"] == pytest.approx(single.test["loss"], abs=BFLOAT16)


def killed(job: Job, moment: Moment) -> str:
    """Runs the job until the moment in a new process, for a forked one has no CUDA; the id of its run."""
    process = multiprocessing.get_context("spawn").Process(
        target=work, args=(job, [moment], moment.call, None)
    )
    process.start()
    process.join(LIMIT_SECONDS)
    process.kill()  # nothing, where it has ended
    assert process.exitcode == -signal.SIGKILL, f"{moment} never came"
    return only_run(job)


@pytest.mark.parametrize("name", ["softmax", "mlp", "cnn"])
def test_a_run_that_was_killed_on_a_gpu_goes_on_to_the_same_bits(
    make_job: MakeJob, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parents[1])  # where the new process finds these tests
    every = "trainer.checkpoint_every_steps=3"
    jobs = [
        job_of(make_job, name, tmp_path, GPU, every, f"track.root={tmp_path / place}")
        for place in ("whole", "cut")
    ]
    run(jobs[0])
    run(jobs[1], killed(jobs[1], Moment("seedbed.classifier", "Classifier.step", 7)))
    whole, cut = (
        torch.load(artifact(job, "checkpoints/last.ckpt", tmp_path / f"last {place}"), weights_only=True)
        for place, job in enumerate(jobs)
    )
    names = [key for key in whole["state_dict"] if key.startswith("network.")]
    assert all(torch.equal(whole["state_dict"][key], cut["state_dict"][key]) for key in names)


@pytest.mark.parametrize("name", ["mlp", "cnn"])
def test_two_processes_share_a_gpu_through_gloo(make_job: MakeJob, tmp_path: Path, name: str) -> None:
    shared = ("trainer=ddp", "trainer.devices=2", "trainer.backend=gloo", f"track.root={tmp_path}/two")
    keys = ("optimizer=sgd", "optimizer.lr=0.01", "evaluate_test=true")
    two = run(job_of(make_job, name, tmp_path, *shared, GPU, *keys))
    one = run(job_of(make_job, name, tmp_path, GPU, *keys))
    for key, value in one.metrics.items():
        if not key.endswith("seconds"):
            assert two.metrics[key] == pytest.approx(value, abs=FLOAT32), key
