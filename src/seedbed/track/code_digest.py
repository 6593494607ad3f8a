"""Which code a result is of, in 16 hex digits."""

import hashlib
import json
from functools import cache
from pathlib import Path

import seedbed
from seedbed.track import checkout

NUM_DIGITS = 16
# What a run can be moved by. Values in `conf/` have their own identity, the signature; tables and
# pages that a study writes into the checkout are its results.
SOURCE = ".py"


@cache
def code_digest(folder: Path | None) -> str:
    """Identity of the code: the commit, Python files that differ from it, and this package's own files.

    Asked once a process, because what is loaded does not change when a file does. Cheap (a few calls
    of git), and torch is not loaded for it.

    Args:
        folder: where the run is started, anywhere in a git checkout or not; None: in none. The
            package's own files count in any case, since it may be installed from elsewhere.
    """
    package = Path(seedbed.__path__[0])
    own = {path.relative_to(package).as_posix(): _digest(path) for path in package.rglob(f"*{SOURCE}")}
    commit, changed = ("", {}) if folder is None else _uncommitted(folder)
    text = json.dumps([commit, changed, own], sort_keys=True)
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:NUM_DIGITS]


def _uncommitted(folder: Path) -> tuple[str, dict[str, str]]:
    top, commit, names = checkout.changes(folder)
    return commit, {name: _digest(top / name) for name in names if name.endswith(SOURCE)}


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "gone"
