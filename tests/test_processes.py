"""One, two and three processes train the same model: real ranks, real data, the trainer of a run."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from seedbed.job import Job
from seedbed.seat import Seat
from tests.conftest import jobs_in
from tests.data.tiny import write_folder
from tests.groups import together
from tests.ranked import Fit, fits

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
    "schedule=constant",
    "data.batch_size=null",
    "objective.l2=0.1",
    "trainer.precision=64-true",
)


def jobs_of(root: Path, world_size: int) -> dict[str, Job]:
    """Everything that is compared, for this many processes."""
    photos = root / "photos"
    if not photos.exists():
        write_folder(photos)
    where = (f"data.root={photos}", f"data.cache_dir={root / 'cache'}")
    shared = ("trainer=ddp", f"trainer.devices={world_size}") if world_size > 1 else ()
    with jobs_in(root) as make_job:
        jobs = {
            f"{name}, {precision}": make_job(*shared, *SHORT, *keys, f"trainer.precision={precision}")
            for name, keys in MODELS.items()
            for precision in ROUNDING
        }
        jobs["resnet9"] = make_job(*shared, *SHORT, *RESNET9, *where)
        jobs["lbfgs"] = make_job(*shared, *SHORT, *LBFGS)
    return jobs


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("processes")


@pytest.fixture(scope="module")
def alone(root: Path) -> Mapping[str, Fit]:
    """What one process comes to, by name."""
    return fits(Seat(), jobs_of(root, 1), root)


@pytest.mark.parametrize("world_size", [2, 3])
def test_the_number_of_processes_moves_no_result(
    alone: Mapping[str, Fit], root: Path, world_size: int
) -> None:
    for shared in together(world_size, root / f"store{world_size}", fits, jobs_of(root, world_size), root):
        for name, fit in shared.items():
            allowed = ROUNDING["32-true" if "32-true" in name else "64-true"]
            check(fit, alone[name], FLAT if name == "lbfgs" else allowed, name)


def check(fit: Fit, expected: Fit, allowed: float, name: str) -> None:
    for key, weight in expected.weights.items():
        np.testing.assert_allclose(fit.weights[key], weight, rtol=0, atol=allowed, err_msg=f"{name}: {key}")
    np.testing.assert_array_equal(fit.confusion, expected.confusion, err_msg=name)
    for found, metrics in zip([*fit.epochs, fit.test], [*expected.epochs, expected.test], strict=True):
        assert found.keys() == metrics.keys()
        for key, number in metrics.items():
            rounding = max(allowed, SWAPPED_PAIRS) if "auroc" in key and allowed > FLAT else allowed
            assert found[key] == pytest.approx(number, abs=rounding), f"{name}: {key}"
