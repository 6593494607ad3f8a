"""The code as it ran: commit, branch, and everything that no commit holds yet.

Read through git without touching anything of the user's: a temporary index and a temporary object
folder take what `git add` would have written.
"""

import os
import subprocess
from collections.abc import Iterable
from fnmatch import fnmatch
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

# A file above the first, or files together above the second, are named instead of kept.
MAX_FILE_BYTES, MAX_BYTES = 2**20, 10 * 2**20
# Files that tend to hold secrets are named, never kept.
SECRET = (".env", ".env.*", "*.pem", "*.key", "id_rsa*", "id_ed25519*", ".netrc", ".pgpass")
# Settings of the user's that would change what a diff looks like, or start a program.
CONFIG = (
    "core.fsmonitor=false",
    "core.quotePath=false",
    "core.safecrlf=false",
    "diff.suppressBlankEmpty=false",
)
DIFF = ("diff", "--cached", "--binary", "--no-color", "--no-ext-diff", "--no-textconv", "--no-renames")
PREFIXES = ("--src-prefix=a/", "--dst-prefix=b/")
# For who makes the code of a record again: its patch, and no hook of the user's, which did not run then.
APPLY = ("apply", "--binary", "--whitespace=nowarn")
NO_HOOKS = ("-c", "core.hooksPath=/dev/null")


class Code(NamedTuple):
    """What git knows.

    Args:
        state: one line on how far the commit tells what ran.
        commit: full hash; empty where there is none.
        branch: its short name; empty where there is none.
        diff: patch from the commit (from nothing, before the first) to the files that ran, in git's
            own form; undecodable bytes as surrogates.
    """

    state: str
    commit: str = ""
    branch: str = ""
    diff: str = ""


def is_whole(state: str) -> bool:
    """Whether commit and diff are all the code that ran, as a recorded state says.

    Example:
        >>> is_whole("the commit and the diff"), is_whole("the commit alone, without 2 files")
        (True, False)
    """
    return state in ("the commit alone", "the commit and the diff", "no commit yet, the diff alone")


class GitError(Exception):
    """Git ended with an error; the text is its first line."""


def code(folder: Path | None) -> Code:
    """The code that a folder belongs to; never an error, a plain word instead."""
    if folder is None:
        return Code("not in a git checkout")
    try:
        top = Path(git(folder, "rev-parse", "--show-toplevel").rstrip("\n"))
        return _code(top)
    except FileNotFoundError:
        return Code("unknown, there is no git program")
    except GitError as error:
        outside = "not a git repository" in str(error)
        return Code("not in a git checkout" if outside else f"unknown, git says: {error}")


def changes(folder: Path) -> tuple[Path, str, list[str]]:
    """Top of the checkout, its commit and the paths that differ from it or are new.

    Outside a checkout, and where git cannot tell, the folder itself, no commit and no paths.
    """
    try:
        top = Path(git(folder, "rev-parse", "--show-toplevel").rstrip("\n"))
        commit = _commit(top)
        return top, commit, _changed(top, commit)
    except (FileNotFoundError, GitError):  # `code` says which of the two, in words
        return folder, "", []


def _commit(top: Path) -> str:
    return git(top, "rev-parse", "--verify", "--quiet", "HEAD", allowed=(0, 1)).strip()


def _code(top: Path) -> Code:
    commit = _commit(top)
    branch = git(top, "symbolic-ref", "--quiet", "--short", "HEAD", allowed=(0, 1)).strip()
    kept, left_out = _chosen(top, _changed(top, commit))
    diff = _diff(top, commit, kept) if kept else ""
    marks = "".join(f"# left out: {name} ({why})\n" for name, why in left_out)
    state = "the commit alone" if commit else "no commit yet"
    if kept:
        state = "the commit and the diff" if commit else "no commit yet, the diff alone"
    if left_out:
        state += f", without {len(left_out)} files"
    return Code(state, commit, branch, marks + diff)


def _changed(top: Path, commit: str) -> list[str]:
    """Paths that differ from the commit or that git does not know and does not ignore."""
    new = git(top, "ls-files", "-z", "--others", "--exclude-standard")
    if commit:
        old = git(top, "diff", "-z", "--name-only", "--no-renames", "--no-ext-diff", "HEAD")
    else:
        old = git(top, "ls-files", "-z", "--cached")
    return sorted({name for name in (new + old).split("\0") if name})


def _chosen(top: Path, names: Iterable[str]) -> tuple[list[str], list[tuple[str, str]]]:
    """What is kept, and what is not with the reason."""
    kept, left_out, total = [], [], 0
    for name in names:
        path = top / name
        size = path.lstat().st_size if path.is_symlink() or path.is_file() else 0
        if any(fnmatch(path.name, pattern) for pattern in SECRET):
            left_out.append((name, "may hold a secret"))
        elif name.endswith("/"):
            left_out.append((name, "a repository of its own"))
        elif size > MAX_FILE_BYTES or total + size > MAX_BYTES:
            left_out.append((name, f"{size} bytes"))
        else:
            kept.append(name)
            total += size
    return kept, left_out


def _diff(top: Path, commit: str, names: Iterable[str]) -> str:
    objects = git(top, "rev-parse", "--path-format=absolute", "--git-path", "objects").strip()
    with TemporaryDirectory() as scratch:
        extra = {
            "GIT_INDEX_FILE": f"{scratch}/index",
            "GIT_OBJECT_DIRECTORY": scratch,
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": objects,
        }
        base = commit or git(top, "hash-object", "-t", "tree", "--stdin", extra=extra).strip()
        git(top, "read-tree", *([commit] if commit else ["--empty"]), extra=extra)
        given = "".join(f"{name}\0" for name in names)
        git(top, "update-index", "--add", "--remove", "-z", "--stdin", extra=extra, given=given)
        return git(top, *DIFF, *PREFIXES, base, extra=extra)


def git(
    folder: Path,
    *command: str,
    allowed: tuple[int, ...] = (0,),
    extra: dict[str, str] | None = None,
    given: str = "",
) -> str:
    """Git's output, its bytes as UTF-8 with surrogates for what is none.

    Raises:
        GitError: where it ends with another status than the allowed ones.
        FileNotFoundError: where there is no git.
    """
    settings = [part for setting in CONFIG for part in ("-c", setting)]
    # A hook that started this process points git at its own repository and index.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment |= {"GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C", **(extra or {})}
    done = subprocess.run(
        ["git", "-C", str(folder), *settings, *command],
        input=given.encode(errors="surrogateescape"),
        capture_output=True,
        check=False,
        env=environment,
    )
    if done.returncode not in allowed:
        raise GitError(done.stderr.decode(errors="replace").strip().partition("\n")[0])
    return done.stdout.decode(errors="surrogateescape")
