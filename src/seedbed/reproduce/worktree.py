"""The code of a record: the commit and what no commit held, in a folder of its own that is removed again."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from seedbed.errors import StoreError
from seedbed.reproduce import code
from seedbed.track.checkout import APPLY, NO_HOOKS, GitError, git

ADD = (*NO_HOOKS, "worktree", "add", "--quiet", "--detach")
HERE = "--here re-runs with the code that is here, and says what differs."


@contextmanager
def worktree(commit: str, diff: str, root: Path) -> Iterator[Path]:
    """The top of a clean checkout of the commit with the diff applied, for as long as it is entered.

    Args:
        commit: full hash; empty: none is on record.
        diff: git's own patch; marks of files that were left out may stand before it.
        root: folder of the record store, which may have the commit from an archive.

    Raises:
        StoreError: where the commit is in no repository at hand, or the diff does not apply.
    """
    repository = _repository(commit, root)
    with TemporaryDirectory(prefix="seedbed-") as scratch:
        folder = Path(scratch) / "code"
        try:
            _fill(folder, repository, commit, diff)
            yield folder
        finally:
            with suppress(GitError):  # it was never added, or somebody has removed it
                git(repository, "worktree", "remove", "--force", str(folder))


def _fill(folder: Path, repository: Path, commit: str, diff: str) -> None:
    try:
        git(repository, *ADD, str(folder), commit)
        if "diff --git " in diff:
            git(folder, *APPLY, given=diff)
    except GitError as error:
        raise StoreError(
            f"commit {commit}",
            expected="a checkout of it that takes the recorded diff",
            got=str(error),
            do=HERE,
        ) from error


def _repository(commit: str, root: Path) -> Path:
    """A repository that has the commit.

    Raises:
        StoreError: where none has it.
    """
    found = code.repository(commit, root) if commit else None
    if found is not None:
        return found
    places = " and ".join(map(str, code.places(commit, root)))
    raise StoreError(
        "the recorded code",
        expected="a commit that is in a git repository here",
        got=f"{commit}, which {places} do not have" if commit else "no commit",
        do=f"Start the command in a checkout that has it, or fetch it. {HERE}" if commit else HERE,
    )
