"""The code as it is at submission, in a folder that later edits do not reach.

A clone of the recorded commit with the recorded diff, so that what a job says of its code is what this
process would say; where there is no checkout, a copy of the installed package.
"""

import compileall
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import seedbed
from seedbed.errors import StoreError
from seedbed.track import checkout
from seedbed.track.checkout import APPLY, NO_HOOKS, GitError, git
from seedbed.track.code_digest import NUM_DIGITS, code_digest

CODE, PACKAGE = "code", "package"
DIGEST = """
from pathlib import Path
from seedbed.track.code_digest import code_digest
print(code_digest(Path.cwd()))
"""


class Snapshot(NamedTuple):
    """Where jobs work.

    Args:
        cwd: working directory.
        path: where Python finds the package.
    """

    cwd: Path
    path: Path

    def variables(self) -> dict[str, str]:
        """What a process is told, so that it imports this code."""
        return {"PYTHONPATH": os.pathsep.join(filter(None, [str(self.path), os.environ.get("PYTHONPATH")]))}


def snapshot(root: Path, here: Path) -> Snapshot:
    """The snapshot of the code around a folder, in a record store, made where it is missing.

    Args:
        root: folder of the store.
        here: where the command was started.

    Raises:
        StoreError: where the copy is not the code that was loaded.
    """
    code, (top, _, _) = checkout.code(here), checkout.changes(here)
    text = json.dumps([code_digest(here), code.state, code.branch, code.diff, str(here.relative_to(top))])
    digest = hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:NUM_DIGITS]
    folder = root / "snapshots" / digest
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=folder.parent, prefix=".") as scratch:
            made = Path(scratch) / digest
            _fill(made, code, top, here)
            _check(_of(made, top, here), code_digest(here))
            # Once, and not in every job.
            compileall.compile_dir(_of(made, top, here).path / "seedbed", quiet=2)
            try:
                made.rename(folder)
            except OSError:  # another process was as quick
                assert folder.exists()
    return _of(folder, top, here)


def _of(folder: Path, top: Path, here: Path) -> Snapshot:
    copied = folder / PACKAGE
    path = copied if copied.exists() else folder / CODE / _package().relative_to(top).parent
    return Snapshot(folder / CODE / here.relative_to(top), path)


def _package() -> Path:
    return Path(seedbed.__path__[0]).resolve()


def _fill(folder: Path, code: checkout.Code, top: Path, here: Path) -> None:
    (folder / CODE).mkdir(parents=True)
    if code.branch or code.commit:
        try:
            _clone(folder / CODE, code, top)
        except GitError as error:
            raise _unlike(str(error)) from error
    package = _package()
    held = package.is_relative_to(top) and (folder / CODE / package.relative_to(top) / "__init__.py").exists()
    if not held:
        shutil.copytree(package, folder / PACKAGE / "seedbed")
    (folder / CODE / here.relative_to(top)).mkdir(parents=True, exist_ok=True)


def _clone(folder: Path, code: checkout.Code, top: Path) -> None:
    """The commit alone, without its history, on a branch of the same name, with what no commit held."""
    git(folder, "init", "--quiet", "--template=")
    (folder / ".git" / "info").mkdir(exist_ok=True)
    (folder / ".git" / "info" / "exclude").write_text("__pycache__/\n")
    if code.commit:
        git(folder, "fetch", "--quiet", "--depth=1", "--no-tags", str(top), "HEAD")
        branch = ("-B", code.branch) if code.branch else ("--detach",)
        git(folder, *NO_HOOKS, "checkout", "--quiet", *branch, code.commit)
    else:
        git(folder, "symbolic-ref", "HEAD", f"refs/heads/{code.branch}")
    if "diff --git " in code.diff:
        git(folder, *APPLY, given=code.diff)


def _check(made: Snapshot, wanted: str) -> None:
    """Asks the copy, in a process of its own, which code it is."""
    done = subprocess.run(
        [sys.executable, "-c", DIGEST],
        cwd=made.cwd,
        env=os.environ | made.variables(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.stdout.strip() != wanted:
        raise _unlike(done.stdout.strip() or done.stderr.strip().rpartition("\n")[2])


def _unlike(got: str) -> StoreError:
    return StoreError(
        "the snapshot of the code",
        expected="the code that this command was started with",
        got=got,
        do="If it was edited meanwhile, start again; else commit what is not in a commit.",
    )
