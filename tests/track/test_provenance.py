"""The record of a run's origin is enough to put its code together again."""

import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from seedbed.track import checkout
from seedbed.track.checkout import Code, code
from seedbed.track.provenance import in_force, machine, origin, packages, provenance

IDENTITY = ("-c", "user.name=A", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")


def git(folder: Path, *command: str) -> str:
    done = subprocess.run(
        ["git", *IDENTITY, *command], cwd=folder, check=True, capture_output=True, encoding="latin-1"
    )
    return done.stdout


@pytest.fixture(autouse=True)
def _git_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of this machine's user, and none of a hook that may have started the tests."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "trunk")
    return folder


@pytest.fixture
def committed(tree: Path) -> Path:
    (tree / "code.py").write_text("one\ntwo\n")
    (tree / "old.py").write_text("old\n")
    (tree / ".gitignore").write_text("ignored\n")
    (tree / "run.sh").write_text("true\n")
    git(tree, "add", "-A")
    git(tree, "commit", "-q", "-m", "first")
    return tree


def restored(told: Code, source: Path, target: Path) -> Path:
    """The tree that commit and diff give, in another place."""
    if told.commit:
        git(source.parent, "clone", "-q", str(source), str(target))
        git(target, "checkout", "-q", told.commit)
    else:
        target.mkdir()
        git(target, "init", "-q")
    patch = target.with_suffix(".diff")
    patch.write_bytes(told.diff.encode(errors="surrogateescape"))
    git(target, "apply", str(patch))
    return target


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    files = (path for path in folder.rglob("*") if path.is_file() and ".git" not in path.parts)
    return {str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mode & 0o111) for path in files}


def test_a_clean_checkout_is_its_commit(committed: Path) -> None:
    head = git(committed, "rev-parse", "HEAD").strip()
    assert code(committed) == Code("the commit alone", head, "trunk", "")


def test_commit_and_diff_give_the_tree_back_to_the_byte(committed: Path, tmp_path: Path) -> None:
    (committed / "code.py").write_bytes(b"one\ngr\xf6\xdfe\r\n")  # neither UTF-8 nor Unix
    (committed / "old.py").unlink()
    (committed / "run.sh").chmod(0o755)
    (committed / "new").mkdir()
    (committed / "new" / "größe, with space.bin").write_bytes(bytes(range(256)))
    (committed / "new" / "empty").touch()
    (committed / "staged.py").write_text("staged\n")
    git(committed, "add", "staged.py")
    (committed / "staged.py").write_text("staged, then changed\n")
    told = code(committed / "new")  # from anywhere inside
    assert told.state == "the commit and the diff"
    assert contents(restored(told, committed, tmp_path / "other")) == contents(committed)


def test_before_the_first_commit_the_diff_is_everything(tree: Path, tmp_path: Path) -> None:
    (tree / "code.py").write_text("one\n")
    (tree / "staged.py").write_text("two\n")
    git(tree, "add", "staged.py")
    told = code(tree)
    assert (told.state, told.commit, told.branch) == ("no commit yet, the diff alone", "", "trunk")
    assert contents(restored(told, tree, tmp_path / "other")) == contents(tree)


def test_a_staged_file_that_was_deleted_again_is_not_missed(committed: Path) -> None:
    (committed / "gone.py").write_text("gone\n")
    git(committed, "add", "gone.py")
    (committed / "gone.py").unlink()
    assert "gone.py" not in code(committed).diff


def test_looking_changes_nothing_of_the_users(committed: Path) -> None:
    (committed / "code.py").write_text("changed\n")
    (committed / "new.bin").write_bytes(bytes(1000))
    before = {path: path.read_bytes() for path in (committed / ".git").rglob("*") if path.is_file()}
    assert "new.bin" in code(committed).diff
    assert {path: path.read_bytes() for path in (committed / ".git").rglob("*") if path.is_file()} == before


def test_ignored_files_stay_out(committed: Path) -> None:
    (committed / "ignored").write_text("secret\n")
    assert code(committed).diff == ""


@pytest.mark.parametrize("name", [".env", "server.key", "id_rsa"])
def test_a_file_that_may_hold_a_secret_is_named_and_left_out(committed: Path, name: str) -> None:
    (committed / name).write_text("password\n")
    told = code(committed)
    assert told.state == "the commit alone, without 1 files"
    assert told.diff == f"# left out: {name} (may hold a secret)\n"


def test_large_files_are_named_and_left_out(committed: Path, tmp_path: Path) -> None:
    (committed / "huge.bin").write_bytes(bytes(checkout.MAX_FILE_BYTES + 1))
    (committed / "small.py").write_text("small\n")
    told = code(committed)
    assert told.diff.startswith(f"# left out: huge.bin ({checkout.MAX_FILE_BYTES + 1} bytes)\ndiff --git")
    assert told.state == "the commit and the diff, without 1 files"
    assert (restored(told, committed, tmp_path / "other") / "small.py").read_text() == "small\n"


def test_many_files_are_bounded_together(committed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkout, "MAX_BYTES", 250)
    for number in range(4):
        (committed / f"part{number}.txt").write_text(f"{number}" * 100)
    diff = code(committed).diff
    assert [f"+++ b/part{number}.txt" in diff for number in range(4)] == [True, True, False, False]
    assert "# left out: part3.txt (100 bytes)\n" in diff


def test_a_repository_inside_is_named_and_left_out(committed: Path) -> None:
    (committed / "inner").mkdir()
    git(committed / "inner", "init", "-q")
    (committed / "inner" / "x").touch()
    assert code(committed).diff == "# left out: inner/ (a repository of its own)\n"


def test_the_users_taste_in_diffs_does_not_show(committed: Path, tmp_path: Path) -> None:
    for key, value in (("diff.noprefix", "true"), ("color.ui", "always"), ("diff.external", "false")):
        git(committed, "config", key, value)
    (committed / "code.py").write_text("changed\n")
    assert contents(restored(code(committed), committed, tmp_path / "other")) == contents(committed)


def test_a_hook_does_not_point_it_elsewhere(committed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_INDEX_FILE", "/nowhere/index")
    assert code(committed).state == "the commit alone"


def test_outside_a_checkout_it_says_so(tmp_path: Path) -> None:
    assert code(tmp_path) == code(None) == Code("not in a git checkout")
    assert provenance(tmp_path).tags["seedbed.code"] == "not in a git checkout"
    assert "mlflow.source.git.commit" not in provenance(None).tags


def test_without_git_it_says_so(committed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert code(committed) == Code("unknown, there is no git program")


def test_a_broken_repository_is_told_in_gits_words(committed: Path) -> None:
    shutil.rmtree(committed / ".git" / "objects")
    (committed / ".git" / "objects").mkdir()
    assert code(committed).state.startswith("unknown, git says: ")


def test_a_run_from_a_checkout_can_be_found_and_repeated(
    committed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["seedbed", "train", "name=a b", "seed=range(0,3)"])
    (committed / "code.py").write_text("changed\n")
    told = provenance(committed)
    assert told.tags["mlflow.source.git.commit"] == git(committed, "rev-parse", "HEAD").strip()
    assert told.tags["mlflow.source.git.branch"] == "trunk"
    assert told.files["provenance/command.txt"] == "seedbed train 'name=a b' 'seed=range(0,3)'\n"
    assert "+changed" in told.files["provenance/uncommitted.diff"]
    assert origin()["mlflow.source.name"] == "seedbed"


def test_the_environment_is_never_recorded(committed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "correct horse battery staple")
    told = provenance(committed)
    assert "battery" not in json.dumps([told.tags, told.files])


def test_packages_are_requirements_with_versions() -> None:
    lines = packages().splitlines()
    assert f"pytest=={pytest.__version__}" in lines
    assert all(line.count("==") == 1 for line in lines)
    assert lines == sorted(lines, key=lambda line: line.partition("==")[0].lower())


def test_the_switches_that_move_a_last_digit_are_those_in_force() -> None:
    import torch

    torch.use_deterministic_algorithms(mode=True)
    torch.set_num_threads(1)
    told = in_force()
    assert (told["deterministic_algorithms"], told["num_threads"]) == (True, 1)
    assert told["cudnn_tf32"] in (True, False)
    assert (told["world_size"], told["backend"]) == (1, "")
    assert machine()["num_threads"] == 1


def test_torch_is_not_loaded_to_be_asked() -> None:
    program = (
        "import sys; from seedbed.track.provenance import machine; told = machine();"
        "sys.exit('torch' in sys.modules or 'num_threads' in told or not told['cpu'])"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_every_package_is_named_as_the_standard_library_names_it() -> None:
    expected: dict[str, str] = {}
    for dist in importlib.metadata.distributions():
        expected.setdefault(dist.metadata["Name"], dist.version)
    told = dict(line.split("==") for line in packages().splitlines())
    assert told == expected
