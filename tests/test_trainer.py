"""How a step may be computed: precision, clipping, micro-batches, compiled, channels last."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mlflow import MlflowClient

from seedbed.assembly import assemble
from seedbed.classifier import Classifier
from seedbed.errors import ConfigError
from seedbed.job import Job
from seedbed.optim.sense import check
from seedbed.seat import Seat
from seedbed.train import run
from tests.conftest import MakeJob
from tests.groups import together
from tests.kills import Moment, killed
from tests.ranked import Fit, fit, fits

SHORT = ("trainer.max_epochs=2", "trainer.accelerator=cpu", "trainer.num_threads=1")
MLP = ("model=mlp", "model.dropout=0.3", "model.hidden_features=[32,32]", "optimizer=sgd")
CNN = ("model=cnn", "model.channels=[4,8]", "model.hidden_features=16", "model.dropout=0.3", "optimizer=sgd")
# No number of parts divides the batch, and the last one (28) is another size than the others.
MODELS = {"softmax": ("model=softmax", "optimizer=sgd"), "mlp": MLP, "cnn": CNN}
UNEVEN = "data.batch_size=51"
# The same float64 terms added in another order, over two epochs.
ROUNDING = 1e-12
# A step of bfloat16 keeps 8 bits of a number, one of float16 11: what two epochs make of it.
HALF = {"bf16-mixed": 2e-2, "16-mixed": 5e-3}
COMPILED = 1e-5  # float32 terms in another order


def objectives(found: Fit) -> list[float]:
    return [metrics["train/objective"] for metrics in found.epochs]


def same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[key], other[key]) for key in one)


def distance(one: Fit, other: Fit) -> float:
    return max(float(np.abs(one.weights[name] - other.weights[name]).max()) for name in one.weights)


def moved(job: Job, found: Fit) -> float:
    """How far training moved the weights, without which agreement would mean little."""
    first = assemble(job.config).classifier.network.state_dict()
    return max(float(np.abs(found.weights[name] - first[name].numpy()).max()) for name in first)


# Precision ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("precision", HALF)
@pytest.mark.parametrize("keys", [MLP, CNN], ids=["mlp", "cnn"])
def test_half_precision_goes_where_single_precision_goes(
    make_job: MakeJob, tmp_path: Path, keys: tuple[str, ...], precision: str
) -> None:
    single = fit(Seat(), make_job(*keys, *SHORT), tmp_path)
    half = fit(Seat(), make_job(*keys, *SHORT, f"trainer.precision={precision}"), tmp_path)
    assert objectives(half) == pytest.approx(objectives(single), abs=HALF[precision])
    assert half.test["loss"] == pytest.approx(single.test["loss"], abs=HALF[precision])
    assert distance(half, single) > 0


@pytest.mark.parametrize("precision", HALF)
def test_half_precision_is_what_it_says_and_ends_at_the_logits(
    make_job: MakeJob, tmp_path: Path, precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed, dtype = set(), torch.bfloat16 if precision == "bf16-mixed" else torch.float16
    whole = Classifier._logits

    def logits(self: Classifier, *arguments: Any) -> torch.Tensor:
        output = self.network.get_submodule("output")
        output.register_forward_hook(lambda _layer, _inputs, logits: computed.add(logits.dtype))
        given = whole(self, *arguments)
        assert given.dtype == torch.float32
        return given

    monkeypatch.setattr(Classifier, "_logits", logits)
    fit(Seat(), make_job(*MLP, *SHORT, "data.batch_size=null", f"trainer.precision={precision}"), tmp_path)
    assert computed == {dtype}


# Clipping ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("precision", ["32-true", "16-mixed"])
def test_the_norm_of_a_steps_gradient_is_limited_before_any_scale(
    make_job: MakeJob, tmp_path: Path, precision: str
) -> None:
    # Plain gradient descent with a constant rate of 1 moves the weights by the gradient itself.
    plain = ("optimizer.lr=1.0", "optimizer.momentum=0.0", "optimizer.nesterov=false", "schedule=constant")
    one_step = ("trainer.max_epochs=1", "data.batch_size=null", f"trainer.precision={precision}")
    lengths = []
    for norm in ("null", "0.01"):
        job = make_job(*SHORT, *MLP, *plain, *one_step, f"trainer.gradient_clip_norm={norm}")
        first = assemble(job.config).classifier.network.state_dict()
        found = fit(Seat(), job, tmp_path).weights
        lengths.append(sum(float(((found[name] - first[name].numpy()) ** 2).sum()) for name in first) ** 0.5)
    assert lengths[0] > 0.02
    assert lengths[1] == pytest.approx(0.01, rel=1e-4)


# Micro-batches -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [4, 30])  # with the second, some parts of the last batch are empty
@pytest.mark.parametrize("name", MODELS)
def test_a_batch_in_parts_is_the_batch(make_job: MakeJob, tmp_path: Path, name: str, count: int) -> None:
    keys = (*MODELS[name], *SHORT, UNEVEN, "objective.l2=0.01", "trainer.precision=64-true")
    job = make_job(*keys)
    whole = fit(Seat(), job, tmp_path)
    parts = fit(Seat(), make_job(*keys, f"trainer.num_micro_batches={count}"), tmp_path)
    assert moved(job, whole) > 0.01
    assert distance(parts, whole) < ROUNDING
    assert objectives(parts) == pytest.approx(objectives(whole), abs=ROUNDING)
    assert np.array_equal(parts.confusion, whole.confusion)


def test_a_line_search_over_all_examples_can_be_computed_in_parts(make_job: MakeJob, tmp_path: Path) -> None:
    keys = ("model=softmax", "optimizer=lbfgs", "schedule=constant", "data.batch_size=null")
    job = (*keys, *SHORT, "objective.l2=0.1", "trainer.precision=64-true")
    whole = fit(Seat(), make_job(*job), tmp_path)
    parts = fit(Seat(), make_job(*job, "trainer.num_micro_batches=4"), tmp_path)
    assert distance(parts, whole) < 1e-8  # a line search cannot see less of the objective than 1e-16


def test_there_is_at_least_one_part(make_job: MakeJob) -> None:
    with pytest.raises(ConfigError, match=r"^trainer\.num_micro_batches: expected 1 or more, got 0\."):
        check(make_job("trainer.num_micro_batches=0").config)


# Compiled ----------------------------------------------------------------------------------------------


def compiled_and_not(seat: Seat, jobs: dict[str, Job], folder: Path) -> dict[str, Fit]:
    torch._inductor.config.compile_threads = 1  # a pool of compilers would outlive this process
    return fits(seat, jobs, folder)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler")
def test_a_compiled_network_learns_the_same(make_job: MakeJob, tmp_path: Path) -> None:
    keys = (*MLP, *SHORT, "data.batch_size=null", "trainer.max_epochs=5")
    jobs = {name: make_job(*keys, f"trainer.compile={name}") for name in ("true", "false")}
    # In a process of its own: here, each forward has its shapes checked, which does not compile.
    (found,) = together(1, tmp_path / "store", compiled_and_not, jobs, tmp_path)
    compiled, plain = found["true"], found["false"]
    assert compiled.weights.keys() == plain.weights.keys()
    assert moved(jobs["true"], compiled) > 0.01
    assert 0 < distance(compiled, plain) < COMPILED
    assert objectives(compiled) == pytest.approx(objectives(plain), abs=COMPILED)


def test_without_a_compiler_nothing_is_compiled(make_job: MakeJob, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(
        ConfigError, match=r"^trainer\.compile: expected a C\+\+ compiler, .* no no-such-comp"
    ):
        assemble(make_job("trainer.compile=true").config)
    assert assemble(make_job().config).classifier.network._compiled_call_impl is None


# Channels last -----------------------------------------------------------------------------------------


def test_channels_are_innermost_unless_told_otherwise(make_job: MakeJob, tmp_path: Path) -> None:
    jobs = [make_job(*CNN, *SHORT, *keys) for keys in ((), ("trainer.channels_last=false",))]
    networks = [assemble(job.config).classifier.network for job in jobs]
    last, first = (network.get_parameter("stages.1.weight") for network in networks)
    assert last.is_contiguous(memory_format=torch.channels_last)
    assert not last.is_contiguous()
    assert first.is_contiguous()
    assert torch.equal(last, first)
    assert distance(*(fit(Seat(), job, tmp_path) for job in jobs)) < COMPILED


# Interrupted -------------------------------------------------------------------------------------------

INTERRUPTED = {
    "16-mixed and clipped": ("trainer.precision=16-mixed", "trainer.gradient_clip_norm=0.5"),
    "bf16-mixed": ("trainer.precision=bf16-mixed",),
    "in parts": ("trainer.num_micro_batches=3",),
    "channels first": ("trainer.channels_last=false",),
}


@pytest.mark.parametrize("name", INTERRUPTED)
def test_a_run_that_was_cut_off_in_an_epoch_goes_on_to_the_same_bits(
    make_job: MakeJob, tmp_path: Path, name: str
) -> None:
    keys = (*CNN, *SHORT, UNEVEN, "trainer.checkpoint_every_steps=5", *INTERRUPTED[name])
    jobs = [make_job(*keys, f"track.root={tmp_path / place}") for place in ("whole", "cut")]
    run_ids = [
        run(jobs[0]).run_id,
        killed(jobs[1], Moment("seedbed.classifier", "Classifier.step", 33)),
    ]
    run(jobs[1], run_ids[1])
    whole, cut = (ended(job, run_id) for job, run_id in zip(jobs, run_ids, strict=True))
    assert same(cut, whole)


def ended(job: Job, run_id: str) -> dict[str, Any]:
    """All that the last checkpoint says of weights, optimiser and scaler, and the metrics of each epoch."""
    client = MlflowClient(f"sqlite:///{job.config['track']['root']}/mlflow.db")
    path = client.download_artifacts(run_id, "checkpoints/last.ckpt", str(job.config["track"]["root"]))
    checkpoint = torch.load(path, weights_only=True)
    told = {name: value.numpy() for name, value in checkpoint["state_dict"].items() if "network" in name}
    (optimizer,) = checkpoint["optimizer_states"]
    buffers = {str(place): state["momentum_buffer"].numpy() for place, state in optimizer["state"].items()}
    names = [name for name in client.get_run(run_id).data.metrics if name.startswith(("train/", "val/"))]
    told |= buffers | {
        name: [point.value for point in client.get_metric_history(run_id, name)]
        for name in names
        if not name.endswith("seconds")
    }
    if job.config["trainer"]["precision"] == "16-mixed":
        told["scaler"] = checkpoint["MixedPrecision"]
        assert told["scaler"]["scale"] > 0
    return told
