"""One convolutional network and one perceptron, trained once for all tests of the room."""

import os
from collections.abc import Iterator
from unittest import mock

import pytest

from seedbed.reproduce.check import Subject
from tests.album.grown import subject


@pytest.fixture(scope="session")
def cnn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Subject]:
    with (
        mock.patch.dict(os.environ),
        subject(tmp_path_factory.mktemp("cnn"), "model=cnn", "trainer.max_epochs=4") as found,
    ):
        yield found


@pytest.fixture(scope="session")
def mlp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Subject]:
    keys = ("model=mlp", "model.hidden_features=[70]", "trainer.max_epochs=2")
    with mock.patch.dict(os.environ), subject(tmp_path_factory.mktemp("mlp"), *keys) as found:
        yield found
