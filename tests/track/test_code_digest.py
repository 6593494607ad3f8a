"""The code's identity moves with the code, and with nothing that a study writes."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import seedbed
from seedbed.track.code_digest import code_digest
from seedbed.track.provenance import provenance

IDENTITY = ("-c", "user.name=A", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")


def git(folder: Path, *command: str) -> None:
    subprocess.run(["git", *IDENTITY, *command], cwd=folder, check=True, capture_output=True)


def digest(folder: Path | None) -> str:
    """As a new process would have it."""
    code_digest.cache_clear()
    return code_digest(folder)


@pytest.fixture(autouse=True)
def _git_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "trunk")
    (folder / "code.py").write_text("one\n")
    (folder / "results.csv").write_text("1\n")
    (folder / ".gitignore").write_text("mlruns\n")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "first")
    return folder


def test_it_is_the_same_from_anywhere_in_a_checkout(tree: Path) -> None:
    (tree / "deep").mkdir()
    assert digest(tree) == digest(tree / "deep") == digest(tree)
    assert len(digest(tree)) == 16


@pytest.mark.parametrize(
    "change", ["a commit", "an edit", "a new file", "a file that is gone", "a staged file"]
)
def test_it_moves_with_the_code(tree: Path, change: str) -> None:
    before = digest(tree)
    if change == "a commit":
        git(tree, "commit", "-q", "--allow-empty", "-m", "second")
    elif change == "an edit":
        (tree / "code.py").write_text("two\n")
    elif change == "a file that is gone":
        (tree / "code.py").unlink()
    else:
        (tree / "new.py").write_text("new\n")
        if change == "a staged file":
            git(tree, "add", "new.py")
    assert digest(tree) != before


def test_two_edits_are_two_codes(tree: Path) -> None:
    seen = set()
    for text in ("two\n", "three\n"):
        (tree / "code.py").write_text(text)
        seen.add(digest(tree))
    assert len(seen) == 2


def test_what_a_study_writes_does_not_move_it(tree: Path) -> None:
    before = digest(tree)
    (tree / "mlruns").mkdir()
    (tree / "mlruns" / "copied.py").write_text("the code of a recorded model\n")
    (tree / "results.csv").write_text("2\n")
    (tree / "report.html").write_text("<html>\n")
    assert digest(tree) == before


def test_without_a_checkout_the_packages_own_files_tell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "installed" / "seedbed"
    shutil.copytree(seedbed.__path__[0], copy)
    monkeypatch.setattr(seedbed, "__path__", [str(copy)])
    before = digest(None)
    assert digest(tmp_path) == before
    (copy / "model" / "linear.py").write_text("# another\n")
    assert digest(None) != before


def test_one_process_has_one_code_whatever_is_edited_meanwhile(tree: Path) -> None:
    before = digest(tree)
    (tree / "code.py").write_text("two\n")
    assert code_digest(tree) == before
    assert provenance(tree).tags["seedbed.code_digest"] == before


def test_torch_is_not_loaded_for_it(tree: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from seedbed.track.code_digest import code_digest;"
        "code_digest(Path(sys.argv[1])); sys.exit('torch' in sys.modules or 'mlflow' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program, str(tree)], check=False).returncode == 0
