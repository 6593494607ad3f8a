"""Checkouts and packages for tests: this project in a repository of its own, a wheel nobody published."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import seedbed

TOP = Path(__file__).parents[2]
IDENTITY = ("-c", "user.name=A", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")
LIMIT_SECONDS = 300
# A package that is nowhere but in its wheel.
WHEEL = "seedling_test"


def git(folder: Path, *command: str) -> str:
    done = subprocess.run(
        ["git", *IDENTITY, *command], cwd=folder, check=True, capture_output=True, encoding="utf-8"
    )
    return done.stdout


def committed(folder: Path) -> str:
    """Commits all that is in the folder, which becomes a repository; the commit."""
    git(folder, "init", "-q", "-b", "trunk")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "all")
    return git(folder, "rev-parse", "HEAD").strip()


def planted(folder: Path) -> Path:
    """A checkout of this project's source as it is now."""
    folder.mkdir()
    shutil.copytree(seedbed.__path__[0], folder / "src/seedbed", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(TOP / "conf", folder / "conf")
    (folder / ".gitignore").write_text("__pycache__/\nmlruns/\n")
    committed(folder)
    return folder


def worktrees(folder: Path) -> int:
    """Checkouts that the repository knows, its own among them."""
    return len(git(folder, "worktree", "list").splitlines())


def wheel(folder: Path, version: str) -> Path:
    """A wheel of a package that tells its version; the folder."""
    folder.mkdir(exist_ok=True)
    info = f"{WHEEL}-{version}.dist-info"
    files = {
        f"{WHEEL}.py": f"VERSION = {version!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {WHEEL}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    with zipfile.ZipFile(folder / f"{WHEEL}-{version}-py3-none-any.whl", "w") as file:
        for name, text in files.items():
            file.writestr(name, text)
        file.writestr(f"{info}/RECORD", "".join(f"{name},,\n" for name in (*files, f"{info}/RECORD")))
    return folder


def environment(source: Path, *paths: Path) -> dict[str, str]:
    """The variables of a process that runs the code of this checkout, with packages of these folders."""
    known = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    scratch = source.parent / "scratch"
    scratch.mkdir(exist_ok=True)
    return known | {
        "PYTHONPATH": os.pathsep.join(map(str, (source / "src", *paths))),
        "TMPDIR": str(scratch),
    }


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "seedbed", *arguments]


def seedbed_in(
    folder: Path, *arguments: str, paths: tuple[Path, ...] = ()
) -> subprocess.CompletedProcess[str]:
    """The command, with the folder's code, in the folder; standard error joins standard output."""
    return subprocess.run(
        command(*arguments),
        cwd=folder,
        env=environment(folder, *paths),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
