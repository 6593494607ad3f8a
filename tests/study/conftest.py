"""Studies as the command line makes them, in this process: imports are paid once."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from seedbed.cli.command import cli

QUICK = (
    "trainer.max_epochs=1",
    "trainer.num_threads=1",
    "track.system_metrics=false",
    "track.log_model=false",
    "track.pictures=false",
)
RunStudy = Callable[..., str]


@pytest.fixture
def run_study(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> RunStudy:
    """Runs `seedbed train -m ...` in this test's folder; what it printed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["seedbed"])
    for name in ("HYDRA_FULL_ERROR", "OMP_WAIT_POLICY"):  # the command sets them; undone with the test
        monkeypatch.setenv(name, os.environ.get(name, "1" if name.startswith("HYDRA") else "PASSIVE"))

    def run(*arguments: str) -> str:
        capsys.readouterr()
        cli.main(["train", "-m", *arguments], prog_name="seedbed", standalone_mode=False)
        return capsys.readouterr().out

    return run


def recorded(folder: Path, experiment: str = "seedbed") -> list[Run]:
    """All runs, oldest first; a study's parent comes before its children."""
    client = MlflowClient(f"sqlite:///{folder / 'mlruns' / 'mlflow.db'}")
    found = client.get_experiment_by_name(experiment)
    assert found is not None
    return list(client.search_runs([found.experiment_id], order_by=["attributes.start_time ASC"]))


def family(folder: Path) -> tuple[Run, list[Run]]:
    """The one study of a folder, and its runs."""
    parent, *children = recorded(folder)
    assert {child.data.tags["mlflow.parentRunId"] for child in children} == {parent.info.run_id}
    return parent, children
