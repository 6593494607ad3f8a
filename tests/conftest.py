"""What every test stands on: no stray tracking variables, torch left as it was found, jobs composed."""

import gc
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

# As many test processes as cores: a second thread in each would only wait for its core. Before torch.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from hydra import compose, initialize_config_dir

from seedbed import config
from seedbed.composing import resolve
from seedbed.job import Job
from seedbed.track import database

MakeJob = Callable[..., Job]
# Folders that other users of the machine may enter, which those of pytest are not.
PUBLIC = tempfile.gettempdir()


def pytest_collection_finish() -> None:
    """Modules and tests outlive every collection of garbage; statsmodels asks for one at each correction."""
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _scratch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What asks for a temporary place, here or in a child, finds it where pytest clears up."""
    folder = str(tmp_path_factory.mktemp("scratch"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", folder)
        patch.setattr(tempfile, "tempdir", folder)
        yield


@pytest.fixture(scope="session", autouse=True)
def _databases_are_copies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """MLflow makes one in this process, in a second of migrations; each further store gets a copy of it.

    Commands that tests start as processes of their own make theirs as always.
    """
    made, create = tmp_path_factory.mktemp("database") / "mlflow.db", database._create

    def copied(path: Path, artifacts: Path) -> None:
        if not made.exists():
            create(made, made.parent)
        partial = path.with_name(f"{path.name}.partial")
        shutil.copyfile(made, partial)
        with closing(sqlite3.connect(partial)) as opened, opened:
            default = "UPDATE experiments SET artifact_location = ? WHERE experiment_id = 0"
            opened.execute(default, [f"{artifacts.as_uri()}/0"])
        partial.replace(path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "_create", copied)
        yield


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_NAME", "SEEDBED_DATA"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def _torch_as_found() -> Iterator[None]:
    threads, deterministic = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    yield
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(deterministic)


@contextmanager
def jobs_in(root: Path) -> Iterator[MakeJob]:
    """Jobs as the command line makes them, recorded under this folder."""
    config.register()
    with initialize_config_dir(str(config.folder()), version_base="1.3"):

        def make(*overrides: str) -> Job:
            own = [f"track.root={root / 'mlruns'}", "track.system_metrics=false", "track.pictures=false"]
            composed = compose("train", [*own, *overrides], return_hydra_config=True)
            choices = dict(composed.hydra.runtime.choices)
            chosen = [f"{group}={choices[group]}" for group in config.SCHEMAS if choices.get(group)]
            del composed.hydra
            base, command = compose("train", chosen), " ".join(["seedbed train", *overrides])
            return resolve(composed, choices, base, overrides, command)

        yield make


@pytest.fixture
def make_job(tmp_path: Path) -> Iterator[MakeJob]:
    """Jobs recorded in this test's own store."""
    with jobs_in(tmp_path) as make:
        yield make
