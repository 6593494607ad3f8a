"""One, two and three processes train the same model: real ranks, real data, the trainer of a run."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from seedbed.checkpoint import LAST
from seedbed.errors import ConfigError
from seedbed.job import Job
from seedbed.seat import Seat
from seedbed.train import run
from tests.conftest import MakeJob, jobs_in
from tests.data.tiny import write_folder
from tests.groups import together
from tests.ranked import Fit, fits, resumed

# The same terms added in another order, over three epochs.
ROUNDING = {"64-true": 1e-12, "32-true": 1e-5}
# A pair of examples whose scores change places moves the area by more than any rounding does.
SWAPPED_PAIRS = 1e-4
# Where a line search ends, rounding of the objective (1e-16) hides differences of its square root.
FLAT = 1e-8
SHORT = ("trainer.max_epochs=3", "trainer.accelerator=cpu", "trainer.progress_bar=false")
# 21 batches of 55, which neither 2 nor 3 divides, and one of a single example: fewer than ranks.
DIGITS = ("data.val_fraction=0.196", "data.batch_size=55")
MODELS = {
    "softmax": (*DIGITS, "model=softmax", "objective.l2=0.01", "objective.l1=0.001"),
    "mlp": (
        *DIGITS,
        "model=mlp",
        "model.dropout=0.3",
        "model.hidden_features=[32,32]",
        "optimizer=sgd",
        "trainer.gradient_clip_norm=0.5",
    ),
    "cnn": (
        *DIGITS,
        "model=cnn",
        "model.dropout=0.3",
        "model.channels=[4,8]",
        "model.hidden_features=16",
        "data.crop_padding=1",
        "data.flip=true",
    ),
}
RESNET9 = (
    "data=image_folder",
    "data.image_size=16",
    "data.num_workers=0",
    "data.test_fraction=0.2",
    "data.val_fraction=0.25",
    "data.batch_size=7",
    "model=resnet9",
    "model.width=2",
    "trainer.precision=64-true",
)
LBFGS = (
    "model=softmax",
    "optimizer=lbfgs",
    "optimizer.max_iter=100",
    "schedule=constant",
    "data.batch_size=null",
    "objective.l2=0.1",
    "trainer.precision=64-true",
)
# What several processes compute of it in micro-batches, and one process at once.
IN_PARTS = "mlp"
PIECES = tuple(f"{name}, 64-true" for name in MODELS)


def jobs_of(root: Path, strategy: str, world_size: int) -> dict[str, Job]:
    """Everything that is compared, for this many processes."""
    photos = root / "photos"
    if not photos.exists():
        write_folder(photos)
    shared = (f"trainer={strategy}", f"trainer.devices={world_size}", *SHORT)
    parts = ("trainer.num_micro_batches=2",) if world_size > 1 else ()
    with jobs_in(root) as make_job:
        jobs = {
            f"{name}, {precision}": make_job(
                *shared, *keys, *(parts if name == IN_PARTS else ()), f"trainer.precision={precision}"
            )
            for name, keys in MODELS.items()
            for precision in ROUNDING
        }
        where = (f"data.root={photos}", f"data.cache_dir={root / 'cache'}")
        jobs["resnet9"] = make_job(*shared, *RESNET9, *where)
        jobs["lbfgs"] = make_job(*shared, *LBFGS)
    return jobs


def pieces(root: Path, strategy: str, world_size: int) -> dict[str, Job]:
    jobs = jobs_of(root, strategy, world_size)
    return {name: jobs[name] for name in PIECES}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("processes")


@pytest.fixture(scope="module")
def alone(root: Path) -> Mapping[str, Fit]:
    """What one process comes to, by name."""
    return fits(Seat(), jobs_of(root, "single", 1), root / "alone")


@pytest.mark.parametrize("world_size", [2, pytest.param(3, marks=pytest.mark.slow)])
def test_the_number_of_processes_moves_no_result(
    alone: Mapping[str, Fit], root: Path, world_size: int
) -> None:
    jobs = jobs_of(root, "ddp", world_size)
    for found in together(world_size, root / f"store{world_size}", fits, jobs, root / f"ddp{world_size}"):
        check(found, alone)


@pytest.mark.slow
def test_weights_dealt_out_over_processes_learn_the_same(alone: Mapping[str, Fit], root: Path) -> None:
    for found in together(2, root / "store", fits, pieces(root, "fsdp", 2), root / "fsdp"):
        check(found, alone)
    for name in PIECES:
        dealt, plain = (
            torch.load(root / place / name / LAST, weights_only=True) for place in ("fsdp", "alone")
        )
        for part in ("state_dict", "optimizer_states"):
            assert shapes(dealt[part]) == shapes(plain[part])
    # A checkpoint of theirs is anyone's, and anyone's is theirs.
    check(resumed(Seat(), pieces(root, "single", 1), root / "one", root / "fsdp"), alone)
    jobs = pieces(root, "fsdp", 2)
    for found in together(2, root / "another store", resumed, jobs, root / "two", root / "alone"):
        check(found, alone)


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        (LBFGS, "trainer.strategy: expected single or ddp with optimizer=lbfgs, which needs whole"),
        (("trainer.precision=16-mixed",), "trainer.precision: expected 32-true, 64-true or bf16-mixed with"),
        (("trainer.compile=true",), "trainer.compile: expected false with trainer=fsdp, got True."),
    ],
)
def test_what_dealt_out_weights_cannot_do_is_refused(
    make_job: MakeJob, keys: tuple[str, ...], text: str
) -> None:
    with pytest.raises(ConfigError) as refusal:
        run(make_job("trainer=fsdp", *keys))
    assert str(refusal.value).startswith(text)


def shapes(state: Any) -> Any:
    """The state with each tensor's shape in its place."""
    if isinstance(state, dict):
        return {name: shapes(value) for name, value in state.items()}
    if isinstance(state, list):
        return [shapes(value) for value in state]
    return tuple(state.shape) if isinstance(state, torch.Tensor) else type(state)


def check(found: Mapping[str, Fit], alone: Mapping[str, Fit]) -> None:
    """Asserts that each of these fits is the one of the same name, from where it went on."""
    for name, fit in found.items():
        expected = alone[name]
        allowed = FLAT if name == "lbfgs" else ROUNDING["32-true" if "32-true" in name else "64-true"]
        for key, value in expected.weights.items():
            np.testing.assert_allclose(
                fit.weights[key], value, rtol=0, atol=allowed, err_msg=f"{name}: {key}"
            )
        np.testing.assert_array_equal(fit.confusion, expected.confusion, err_msg=name)
        epochs = expected.epochs[-len(fit.epochs) :]
        for metrics, others in zip([*fit.epochs, fit.test], [*epochs, expected.test], strict=True):
            assert metrics.keys() == others.keys()
            for key, number in others.items():
                swapped = "auroc" in key and "32-true" in name
                assert metrics[key] == pytest.approx(number, abs=SWAPPED_PAIRS if swapped else allowed), key
