"""Packages come back in their recorded versions, over those that are here."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from seedbed.errors import StoreError
from seedbed.reproduce.environment import interpreter
from tests.reproduce.garden import WHEEL, wheel
from tests.reproduce.recording import record

PRESENT = record().packages
# What an interpreter imports, where numpy comes from, and what it says of its packages.
ASK = f"""
import json, numpy, {WHEEL}
from seedbed.track.provenance import packages
told = [line for line in packages().splitlines() if line.startswith("{WHEEL}")]
print(json.dumps([{WHEEL}.VERSION, numpy.__file__, told]))
"""


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels, which is all that pip may look into."""
    folder = wheel(tmp_path / "wheels", "1.0")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def test_the_present_packages_are_served_by_the_present_interpreter(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert interpreter(PRESENT, tmp_path / "environments") == Path(sys.executable)
    assert capsys.readouterr().err == "Packages: those on record are the present ones.\n"
    assert not (tmp_path / "environments").exists()


def test_what_differs_is_installed_over_what_is_here_and_kept(
    index: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recorded = PRESENT | {WHEEL: "1.0"}
    python = interpreter(recorded, tmp_path / "environments")
    assert (
        f"Packages: the present ones, but {WHEEL}==1.0 in {python.parents[1]}.\n" in capsys.readouterr().err
    )
    assert asked(python) == ["1.0", np.__file__, [f"{WHEEL}==1.0"]]
    shutil.rmtree(index)
    assert interpreter(recorded, tmp_path / "environments") == python


def asked(python: Path) -> list[object]:
    done = subprocess.run([str(python), "-c", ASK], capture_output=True, text=True, check=True)
    return list(json.loads(done.stdout))


def test_what_cannot_be_installed_is_named(index: Path, tmp_path: Path) -> None:
    told = f"the recorded packages: expected pip to find {WHEEL}==2.0, got ERROR: No matching distribution"
    with pytest.raises(StoreError, match=told) as caught:
        interpreter(PRESENT | {WHEEL: "2.0"}, tmp_path / "environments")
    assert "--here" in caught.value.do
    assert not list((tmp_path / "environments").iterdir())
