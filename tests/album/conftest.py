"""Runs that the tests of this folder share, trained once."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import torch

from seedbed.data.embedded import Chd
from seedbed.reproduce.check import Subject
from seedbed.track.kept import kept
from seedbed.train import run
from seedbed.verdict.find import find
from tests.album.grown import subject as grown
from tests.conftest import jobs_in
from tests.reproduce.recorded import Recorded

CONVEX = (
    "optimizer=lbfgs",
    "schedule=constant",
    "data.batch_size=null",
    "trainer.max_epochs=1",
    "trainer.precision=64-true",
)


@contextmanager
def looked_at(recorded: Recorded) -> Iterator[Subject]:
    """The run as a maker sees it."""
    member = find(recorded.store, recorded.run_id)
    with kept(recorded.store, recorded.run_id) as files:
        yield Subject(recorded.store, member, recorded.store.client.get_run(recorded.run_id), files)


def trained(root: Path, *overrides: str) -> Recorded:
    with jobs_in(root) as make:
        return Recorded(root / "mlruns", run(make("trainer.num_threads=1", *overrides)).run_id)


@pytest.fixture(scope="package")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("album")


@pytest.fixture(scope="package")
def tested(root: Path) -> Recorded:
    """A softmax on digits that has read its test split."""
    return trained(root, "model=softmax", "trainer.max_epochs=3", "evaluate_test=true")


@pytest.fixture(scope="package")
def logistic(root: Path) -> Recorded:
    """A logistic regression on a table of one column, judged on validation."""
    return trained(root, "model=logistic", "data=chd", "data.val_fraction=0.3", *CONVEX)


@pytest.fixture(scope="package")
def planar(root: Path) -> Recorded:
    """A logistic regression on a table of two columns: age, and a column that says nothing."""
    whole = Chd._table

    def widened(self: Chd) -> Any:
        values, labels, names, columns = whole(self)
        turn = torch.arange(len(values), dtype=torch.float64)[:, None] % 7
        return torch.cat([values, turn], dim=1), labels, names, (*columns, "turn")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Chd, "_table", widened)
        patched.setattr(Chd, "_locate", lambda self: ("planar", self._test_fraction))
        return trained(root, "model=logistic", "data=chd", "data.val_fraction=0.3", *CONVEX)


@pytest.fixture
def subject(tested: Recorded) -> Iterator[Subject]:
    with looked_at(tested) as found:
        yield found


@pytest.fixture(scope="session")
def cnn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Subject]:
    with (
        mock.patch.dict(os.environ),
        grown(tmp_path_factory.mktemp("cnn"), "model=cnn", "trainer.max_epochs=4") as found,
    ):
        yield found


@pytest.fixture(scope="session")
def mlp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Subject]:
    keys = ("model=mlp", "model.hidden_features=[70]", "trainer.max_epochs=2")
    with mock.patch.dict(os.environ), grown(tmp_path_factory.mktemp("mlp"), *keys) as found:
        yield found
