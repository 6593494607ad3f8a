"""`seedbed reproduce`: from the record alone, in the recorded situation or here, with a verdict."""

import csv
import re
import signal
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from seedbed.cli.command import cli
from seedbed.train import run
from tests.conftest import MakeJob
from tests.data.tiny import write_folder
from tests.reproduce.garden import (
    LIMIT_SECONDS,
    WHEEL,
    command,
    environment,
    git,
    planted,
    seedbed_in,
    wheel,
    worktrees,
)
from tests.reproduce.test_rerun import repaint
from tests.study.conftest import QUICK, RunStudy, family, recorded, run_study
from tests.test_machines import waited

__all__ = ["run_study"]  # a fixture

SHORT = (
    "track.pictures=false",
    "trainer.max_epochs=1",
    "trainer.num_threads=1",
    "track.log_model=false",
    "evaluate_test=true",
)


def reproduce(root: Path, *arguments: str) -> int:
    """The verb in this process, its re-run in one of its own; the exit code."""
    with pytest.raises(SystemExit) as ended:
        cli.main(["reproduce", *arguments, "--root", str(root)], prog_name="seedbed", standalone_mode=False)
    return int(str(ended.value.code))


def test_a_run_is_identical_here(
    make_job: MakeJob, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    original = run(make_job(*SHORT))
    assert reproduce(tmp_path / "mlruns", original.run_id[:8], "--here") == 0
    told = capfd.readouterr()
    assert told.out.startswith("identical: the weights before the first and after each of 1 epoch, the test")
    assert f"Re-running softmax digits 0 ({original.run_id})\n" in told.err
    _, again = recorded(tmp_path)
    assert again.info.run_name == "softmax digits 0 again"
    assert again.data.tags["seedbed.reproduces"] == original.run_id
    assert again.data.tags["seedbed.reproduction"] == "identical"
    assert f"Reproduces softmax digits 0 ({original.run_id}): **identical**" in note(again)
    assert "mlflow.parentRunId" not in again.data.tags


def note(of: Run) -> str:
    return str(of.data.tags["mlflow.note.content"])


@pytest.mark.slow
def test_changed_data_is_refused_by_digest_and_then_allowed(
    make_job: MakeJob, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    place = (f"data.root={write_folder(tmp_path / 'photos')}", f"data.cache_dir={tmp_path / 'cache'}")
    small = ("data=image_folder", "data.image_size=8", "data.batch_size=8", "data.val_fraction=0.25")
    original = run(make_job(*small, *place, *SHORT))
    repaint(tmp_path / "photos")
    assert reproduce(tmp_path / "mlruns", original.run_id, "--here") == 2
    told = r"seedbed: content_digest of the train split: expected [0-9a-f]{64}, as recorded, got [0-9a-f]{64}"
    assert re.search(told, capfd.readouterr().err)
    assert len(recorded(tmp_path)) == 1
    assert reproduce(tmp_path / "mlruns", original.run_id, "--here", "--allow-data-change") == 1
    assert "\n  data, content of " in capfd.readouterr().out


class Grown(NamedTuple):
    """A checkout that has changed since a run of it was recorded."""

    tree: Path
    run: Run


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Grown]:
    """A run of code that no commit holds, with a package that is not here."""
    folder = tmp_path_factory.mktemp("garden")
    tree = planted(folder / "tree")
    objective = tree / "src/seedbed/objective.py"
    committed = objective.read_text()
    objective.write_text(committed.replace("return loss\n", "return loss * 1.25\n"))
    assert objective.read_text() != committed
    with zipfile.ZipFile(next(wheel(folder / "wheels", "1.0").iterdir())) as file:
        file.extractall(folder / "packages")
    done = seedbed_in(tree, "train", *QUICK, *SHORT, paths=(folder / "packages",))
    assert done.returncode == 0, done.stdout
    objective.write_text(committed)
    (tree / "note.txt").write_text("later")
    git(tree, "add", "-A")
    git(tree, "commit", "-q", "-m", "later")
    yield Grown(tree, recorded(tree)[0])
    assert worktrees(tree) == 1
    assert not list((folder / "scratch").glob("seedbed-*"))


@pytest.fixture
def index(grown: Grown, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder with the one wheel that is all pip may look into."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(grown.tree.parent / "wheels"))


@pytest.mark.slow
def test_a_run_of_uncommitted_code_is_identical_although_the_tree_has_changed(
    grown: Grown, index: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///mlruns/mlflow.db")  # another one in the worktree
    done = seedbed_in(grown.tree, "reproduce", grown.run.info.run_id)
    assert done.returncode == 0, done.stdout
    assert f"Packages: the present ones, but {WHEEL}==1.0 in {grown.tree / 'mlruns'}" in done.stdout
    assert (
        "\nidentical: the weights before the first and after each of 1 epoch, the test logits" in done.stdout
    )
    again = recorded(grown.tree)[-1]
    for name in ("seedbed.code_digest", "mlflow.source.git.commit", "seedbed.signature"):
        assert again.data.tags[name] == grown.run.data.tags[name]
    for path in ("provenance/packages.txt", "provenance/uncommitted.diff"):
        assert artifact(grown.tree, again, path) == artifact(grown.tree, grown.run, path)
    assert (grown.tree / "src/seedbed/objective.py").read_text().count("1.25") == 0


def artifact(folder: Path, of: Run, path: str) -> str:
    client = MlflowClient(f"sqlite:///{folder / 'mlruns' / 'mlflow.db'}")
    return Path(client.download_artifacts(of.info.run_id, path)).read_text()


@pytest.mark.slow
def test_code_that_is_here_and_changes_the_loss_is_named(grown: Grown) -> None:
    done = seedbed_in(grown.tree, "reproduce", grown.run.info.run_id, "--here")
    assert done.returncode == 1, done.stdout
    assert "\ndifferent: " in done.stdout
    assert "  code, uncommitted diff: src/seedbed/objective.py" in done.stdout
    assert f"packages, {WHEEL}: 1.0, then not installed" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_re_run_as_killed_and_leaves_no_worktree(
    grown: Grown, index: None, number: signal.Signals
) -> None:
    before = set((grown.tree / "mlruns/runs").iterdir())
    arguments = ("reproduce", grown.run.info.run_id, "trainer.max_epochs=100000")
    with subprocess.Popen(command(*arguments), cwd=grown.tree, env=environment(grown.tree)) as process:
        try:
            waited(
                lambda: any(begun(folder) for folder in set((grown.tree / "mlruns/runs").iterdir()) - before)
            )
            process.send_signal(number)
            assert process.wait(LIMIT_SECONDS) == 128 + number
        finally:
            process.kill()
    assert recorded(grown.tree)[-1].info.status == "KILLED"
    assert worktrees(grown.tree) == 1
    assert not list((grown.tree.parent / "scratch").glob("seedbed-*"))


def begun(folder: Path) -> bool:
    """Whether the run of this folder has ended an epoch."""
    journal = folder / "journal.jsonl"
    return journal.exists() and "val/loss" in journal.read_text()


@pytest.mark.slow
def test_a_sample_of_a_study_gives_a_table(
    run_study: RunStudy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_study("model=softmax,mlp", "seed=0,1", *QUICK)
    parent, children = family(tmp_path)
    arguments = ("--here", "--sample", "2", "--out", str(tmp_path / "out/table.csv"))
    assert reproduce(tmp_path / "mlruns", parent.info.run_id, *arguments) == 0
    told = capsys.readouterr()
    assert "2 of 4 finished runs, drawn with seed 0\n" in told.err
    assert told.out.endswith("\nidentical: 2 of 2\n")
    with (tmp_path / "out/table.csv").open(newline="") as file:
        rows: list[dict[str, Any]] = list(csv.DictReader(file))
    assert [row["verdict"] for row in rows] == ["identical"] * 2
    assert [row["largest_deviation"] for row in rows] == ["none"] * 2
    assert {row["run_id"] for row in rows} < {child.info.run_id for child in children}
    again = recorded(tmp_path)[-2:]
    assert [row["again_run_id"] for row in rows] == [found.info.run_id for found in again]
    assert not any("mlflow.parentRunId" in found.data.tags for found in again)


@pytest.mark.slow
def test_a_fresh_seed_is_held_against_the_interval_of_the_study(
    run_study: RunStudy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_study("model=softmax", "seed=0,1,2", *QUICK)
    _, children = family(tmp_path)
    assert reproduce(tmp_path / "mlruns", children[0].info.run_id, "--here", "--fresh-seed", "7") == 5
    told = capsys.readouterr().out
    assert told.startswith("same distribution: ")
    assert "With a fresh seed best_val/accuracy is " in told
    assert recorded(tmp_path)[-1].data.params["seed"] == "7"
