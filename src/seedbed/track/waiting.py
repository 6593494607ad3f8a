"""Which runs of a folder may have something that their store lacks: one small file each.

A look at every run's folder would take as long as there are runs.
"""

from pathlib import Path

from seedbed.track.store import Store

FOLDER = "waiting"


def expect(store: Store, folder: Path) -> None:
    """Says that the run of this folder may have something for this store."""
    mark = store.root / FOLDER / folder.name
    if not mark.exists():
        mark.parent.mkdir(exist_ok=True)
        mark.write_text(f"{store.address}\n")


def settle(store: Store, folder: Path) -> None:
    """Says that the store has all of the run; a second time does nothing."""
    (store.root / FOLDER / folder.name).unlink(missing_ok=True)


def expected(store: Store) -> dict[Path, str]:
    """The folders of the runs that may have something, oldest first, and for which store."""
    marks = sorted((store.root / FOLDER).glob("*"), key=lambda mark: mark.stat().st_mtime_ns)
    return {store.root / "runs" / mark.name: mark.read_text().strip() for mark in marks}
