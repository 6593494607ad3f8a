"""Stores that cost a copy instead of a migration."""

import importlib
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seedbed.track.store import Store


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that is new and empty."""
    root = tmp_path_factory.mktemp("migrated")
    Store.open(root, f"sqlite:///{root / 'mlflow.db'}")
    return root / "mlflow.db"


@pytest.fixture(scope="session")
def load_model() -> Callable[[str], Any]:
    """MLflow's loader of models, which warns of its own types as it is imported."""
    with warnings.catch_warnings(action="ignore"):
        module: Any = importlib.import_module("mlflow.pyfunc")
    load: Callable[[str], Any] = module.load_model
    return load


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
