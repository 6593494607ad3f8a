"""The recorded code comes back from commit and diff, in a place that leaves nothing behind."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from seedbed.errors import StoreError
from seedbed.reproduce.situation import situation
from seedbed.reproduce.worktree import worktree
from seedbed.track.checkout import Code, code
from tests.reproduce.garden import committed, git, worktrees
from tests.reproduce.recording import record

BINARY = bytes(range(256))


class Dirty(NamedTuple):
    """A checkout, and what was on record of it before it changed again."""

    tree: Path
    code: Code


@pytest.fixture
def dirty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Dirty]:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "code.py").write_text("one\n")
    committed(tree)
    (tree / "code.py").write_text("two \n")
    (tree / "new.bin").write_bytes(BINARY)
    found = code(tree)
    (tree / "code.py").write_text("three\n")
    (tree / "new.bin").unlink()
    git(tree, "commit", "-q", "-a", "-m", "later")
    monkeypatch.chdir(tree)
    yield Dirty(tree, found)
    assert worktrees(tree) == 1


def test_commit_and_diff_give_the_files_that_ran(dirty: Dirty) -> None:
    with worktree(dirty.code.commit, dirty.code.diff, dirty.tree) as folder:
        assert (folder / "code.py").read_text() == "two \n"
        assert (folder / "new.bin").read_bytes() == BINARY
        assert code(folder)[1::2] == dirty.code[1::2]  # commit and diff; a worktree has no branch
    assert not folder.exists()
    assert (dirty.tree / "code.py").read_text() == "three\n"


def test_it_is_removed_when_what_runs_in_it_fails(dirty: Dirty) -> None:
    with pytest.raises(KeyboardInterrupt), worktree(dirty.code.commit, dirty.code.diff, dirty.tree) as folder:
        raise KeyboardInterrupt
    assert not folder.exists()


def test_files_that_were_left_out_are_marks_and_no_patch(dirty: Dirty) -> None:
    with worktree(dirty.code.commit, "# left out: big.bin (9999999 bytes)\n", dirty.tree) as folder:
        assert (folder / "code.py").read_text() == "one\n"


def test_a_hook_of_the_repository_is_not_run(dirty: Dirty) -> None:
    hook = dirty.tree / ".git/hooks/post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\ntouch hooked\n")
    hook.chmod(0o755)
    with worktree(dirty.code.commit, "", dirty.tree) as folder:
        assert not (folder / "hooked").exists()


@pytest.mark.parametrize(
    ("commit", "told"),
    [
        (
            "f" * 40,
            "the recorded code: expected a commit that is in a git repository here, got f{40}, which .*",
        ),
        ("", "the recorded code: expected .*, got no commit. --here re-runs with the code that is here"),
    ],
)
def test_code_that_is_not_here_is_refused(dirty: Dirty, commit: str, told: str) -> None:
    with pytest.raises(StoreError, match=told) as caught, worktree(commit, dirty.code.diff, dirty.tree):
        pass
    assert "--here" in caught.value.do


def test_a_diff_that_does_not_apply_is_refused(dirty: Dirty) -> None:
    later = git(dirty.tree, "rev-parse", "HEAD").strip()
    told = f"commit {later}: expected a checkout of it that takes the recorded diff, got error: patch failed"
    with pytest.raises(StoreError, match=told), worktree(later, dirty.code.diff, dirty.tree):
        pass


def test_code_too_old_to_run_a_saved_job_is_refused(dirty: Dirty, tmp_path: Path) -> None:
    package = dirty.tree / "src/seedbed"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "__main__.py").write_text("raise SystemExit(\"Error: No such command 'rerun'.\")\n")
    old = record(commit=committed(dirty.tree))
    told = (
        r"expected one that can re-run a saved job \(`seedbed rerun`\), got Error: No such command 'rerun'\."
    )
    with (
        pytest.raises(StoreError, match=told) as caught,
        situation(old, tmp_path, here=False),
    ):
        pass
    assert "--here" in caught.value.do
