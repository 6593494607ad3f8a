"""Stores that cost a copy instead of a migration."""

import shutil
from pathlib import Path

import pytest

from seedbed.track.store import Store


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that is new and empty."""
    root = tmp_path_factory.mktemp("migrated")
    Store.open(root, f"sqlite:///{root / 'mlflow.db'}")
    return root / "mlflow.db"


@pytest.fixture
def root(migrated: Path, tmp_path: Path) -> Path:
    """The folder of a store in which nothing has been recorded."""
    folder = tmp_path / "store"
    folder.mkdir()
    shutil.copyfile(migrated, folder / "mlflow.db")
    return folder


@pytest.fixture
def store(root: Path) -> Store:
    return Store.open(root)
