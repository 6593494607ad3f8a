"""The packages of a record: the present ones where they are the same, else those that differ before them.

What is installed is kept under the digest of its versions, so that a second re-run finds it.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Mapping
from pathlib import Path
from tempfile import mkdtemp

import click

from seedbed.errors import StoreError
from seedbed.reproduce.worktree import HERE
from seedbed.terminal import counted
from seedbed.track.provenance import packages

# This package comes as code, from its commit.
OURS = "seedbed"
NUM_DIGITS, NUM_NAMED = 16, 8
LAYER = "present.pth"
# The record has the dependencies, too, each in its version.
INSTALL = ("install", "--quiet", "--no-deps", "--disable-pip-version-check")


def interpreter(recorded: Mapping[str, str], folder: Path) -> Path:
    """A Python for which the recorded packages have their recorded versions.

    Packages that are here beside them are seen, too.

    Args:
        recorded: distribution to version.
        folder: keeps environments.

    Raises:
        StoreError: naming the packages that cannot be installed.
    """
    wanted = differing(recorded)
    if not wanted:
        click.echo("Packages: those on record are the present ones.", err=True)
        return Path(sys.executable)
    digest = hashlib.sha256("\n".join([*wanted, sys.prefix, sys.version]).encode()).hexdigest()[:NUM_DIGITS]
    place = folder / digest
    python = place / "bin" / "python"
    click.echo(f"Packages: the present ones, but {_named(wanted)} in {place}.", err=True)
    if not place.exists():
        _make(place, wanted)
    return python


def differing(recorded: Mapping[str, str]) -> list[str]:
    """The recorded packages, as `name==version`, that are not here in this version."""
    here = dict(line.split("==") for line in packages().splitlines())
    present = {_plain(name): version for name, version in here.items()}
    return [
        f"{name}=={version}"
        for name, version in sorted(recorded.items())
        if _plain(name) != OURS and present.get(_plain(name)) != version
    ]


def _plain(name: str) -> str:
    """The name as an index has it. Source: PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _make(place: Path, wanted: list[str]) -> None:
    """Installs beside, and renames when it is whole: an interrupted installation is not met again."""
    place.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(mkdtemp(dir=place.parent, prefix="unfinished-"))
    try:
        venv.create(scratch, symlinks=True)
        _install(scratch / "bin" / "python", wanted)
        (site,) = scratch.glob("lib/python*/site-packages")
        # Only now, so that pip takes nothing that is here for its own.
        lines = [f"import site; site.addsitedir({folder!r})\n" for folder in _layers()]
        (site / LAYER).write_text("".join(lines))
        scratch.rename(place)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _layers() -> list[str]:
    """The folders of this interpreter's path that hold installed packages."""
    return [folder for folder in sys.path if any(Path(folder).glob("*.dist-info"))]


def _install(python: Path, wanted: list[str]) -> None:
    command = [sys.executable, "-m", "pip", "--python", str(python), *INSTALL, *wanted]
    # What a variable puts on the path is none of this environment's.
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    if done.returncode:
        raise StoreError(
            "the recorded packages",
            expected=f"pip to find {_named(wanted)}",
            got=(done.stderr.strip().splitlines() or ["no word from pip"])[-1],
            do=HERE,
        )


def _named(wanted: list[str]) -> str:
    more = len(wanted) - NUM_NAMED
    return ", ".join(wanted[:NUM_NAMED]) + (f" and {counted(more, 'other')}" if more > 0 else "")
