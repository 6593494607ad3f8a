"""From an archive alone, a run of code that exists nowhere else is re-run and is identical."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from seedbed.verdict.find import find, opened
from tests.data.tiny import write_folder
from tests.reproduce.garden import LIMIT_SECONDS, TOP, command, planted, seedbed_in

PICTURES = (
    "data=image_folder",
    "data.root=../pictures",
    "data.cache_dir=cache",
    "data.image_size=8",
    "data.batch_size=8",
    "data.test_fraction=0.2",
    "data.val_fraction=0.25",
)
SHORT = (
    "track.pictures=false",
    "trainer.max_epochs=1",
    "trainer.num_threads=1",
    "track.log_model=false",
    "evaluate_test=true",
)


def elsewhere(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """The command in a folder that has no repository."""
    known = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return subprocess.run(
        command(*arguments),
        cwd=folder,
        env=known | {"PYTHONPATH": str(TOP / "src")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )


@pytest.mark.slow
def test_an_archive_is_all_that_a_re_run_needs(tmp_path: Path) -> None:
    tree, away = planted(tmp_path / "tree"), tmp_path / "away"
    away.mkdir()
    pictures = write_folder(tmp_path / "pictures")
    objective = tree / "src/seedbed/objective.py"
    objective.write_text(objective.read_text().replace("return loss\n", "return loss * 1.25\n"))
    for arguments in (("train", *PICTURES, *SHORT), ("pack", "last", "--data", "--out", "../run.zip")):
        done = seedbed_in(tree, *arguments)
        assert done.returncode == 0, done.stdout
    original = find(opened(tree / "mlruns"), "last").run_id
    shutil.rmtree(tree)
    shutil.rmtree(pictures)
    for verb in ("unpack ../run.zip", "verify last", "reproduce last"):
        done = elsewhere(away, *verb.split())
        assert done.returncode == 0, done.stdout
    assert "\nidentical: the weights before the first and after each of 1 epoch" in done.stdout
    again = find(opened(away / "mlruns"), "last")
    unpacked = find(opened(away / "mlruns"), again.tags["seedbed.reproduces"])
    assert unpacked.tags["seedbed.unpacked_from"] == original
    assert again.tags["seedbed.code_digest"] == unpacked.tags["seedbed.code_digest"]
