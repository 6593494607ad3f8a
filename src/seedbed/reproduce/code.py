"""The code of a commit, without its history, as one file, and as a repository that `git worktree` takes."""

import re
from contextlib import suppress
from pathlib import Path

import seedbed
from seedbed.track.checkout import GitError, git

COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
# Compressed anew and without deltas, or the bytes would tell how the repository was last packed.
PACK = ("pack-objects", "--stdout", "--quiet", "--window=0", "--no-reuse-delta", "--no-reuse-object")
SETTINGS = ("-c", "pack.threads=1", "-c", "core.compression=6", "-c", "pack.compression=6")


def place(root: Path, commit: str) -> Path:
    """Where a store keeps the code of a commit that came in an archive: a bare repository."""
    return root / "code" / f"{commit}.git"


def places(commit: str, root: Path) -> list[Path]:
    """Where a commit may be: around the working directory, with this package, with a record store."""
    known = place(root, commit)
    return list(dict.fromkeys([Path.cwd(), Path(seedbed.__path__[0]), *([known] if known.is_dir() else [])]))


def repository(commit: str, root: Path) -> Path | None:
    """The first of the places whose repository has the commit; None where none has.

    Args:
        commit: full hash.
        root: folder of a record store.
    """
    for folder in places(commit, root):
        with suppress(GitError, FileNotFoundError):
            git(folder, "cat-file", "-e", f"{commit}^{{commit}}")
            return folder
    return None


def packed(folder: Path, commit: str) -> bytes:
    """The commit with all of its files as a git pack; of the same git, always the same bytes.

    Args:
        folder: in a repository that has the commit.
        commit: full hash.

    Raises:
        GitError: where the repository lacks a part of it.
    """
    listed = git(folder, "rev-list", "--objects", "--no-object-names", "--no-walk", commit).split()
    given = "".join(f"{name}\n" for name in sorted(listed))
    return git(folder, *SETTINGS, *PACK, given=given).encode(errors="surrogateescape")


def unpacked(pack: Path, commit: str, folder: Path) -> None:
    """Makes a bare repository of a packed commit, every object of it checked.

    Args:
        pack: as `packed` made it.
        commit: that it must hold, and whole.
        folder: new.

    Raises:
        GitError: where it does not.
    """
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet", "--bare", "--template=")
    (folder / "shallow").write_text(f"{commit}\n")  # whose parents are not here
    content = pack.read_bytes().decode(errors="surrogateescape")
    git(folder, "index-pack", "--stdin", "--strict", given=content)
    git(folder, "rev-list", "--objects", "--quiet", f"{commit}^{{commit}}")
    git(folder, "update-ref", "refs/heads/packed", commit)
