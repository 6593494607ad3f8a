"""What earlier runs of a folder have left for the store: processes that died, stores that were away."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from seedbed.errors import StoreError
from seedbed.terminal import counted
from seedbed.track.delivery import Delivery
from seedbed.track.hold import HELD, LOCK, Hold, is_left
from seedbed.track.journal import JOURNAL, Journal
from seedbed.track.store import Store
from seedbed.track.waiting import FOLDER, expected, settle


class Left(NamedTuple):
    """One run that had something for the store.

    Args:
        folder: the run's.
        name: the run's.
        num_delivered: lines that the store has now.
        num_waiting: lines that it may still lack.
        why: what keeps them; empty: nothing.
        away: whether that is a store that cannot be reached now.
    """

    folder: Path
    name: str
    num_delivered: int
    num_waiting: int
    why: str = ""
    away: bool = False


def deliver_left(store: Store, *, everywhere: bool = False, but: Path | None = None) -> Iterator[Left]:
    """Takes to the store what earlier runs of its folder have left, one run after the other.

    A run that a process is at work on is left to that one. After the first run for which the store
    is away no other is tried, and each is handed out as waiting.

    Args:
        store: an open store.
        everywhere: looks into every run's folder, and not only where something is expected.
        but: folder of a run that is passed over.
    """
    away = ""
    folders = expected(store)
    if everywhere:
        folders |= {folder: store.address for folder in _all(store) if folder not in folders}
    for folder, address in folders.items():
        if folder == but:
            continue
        found = _left(store, folder, address, away)
        if found is not None:
            away = found.why if found.away else ""
            yield found


def _all(store: Store) -> list[Path]:
    """The folders of all runs, each once."""
    runs = sorted((store.root / "runs").iterdir())
    return [folder for folder in runs if not folder.is_symlink()]


def _left(store: Store, folder: Path, address: str, away: str) -> Left | None:
    """What became of one run's; None where it had nothing, or where a process is at work on it."""
    if folder / LOCK in HELD:
        return None
    if not (folder / JOURNAL).exists():
        settle(store, folder)
        return None
    finished = not is_left(folder)
    try:
        hold = Hold(folder)
    except StoreError:
        return None
    try:
        return _sent(store, folder, address, away)
    finally:
        hold.release(forget=finished)


def _sent(store: Store, folder: Path, address: str, away: str) -> Left | None:
    journal = Journal(folder)
    delivery = Delivery(store, folder, journal, sync=True)
    if not delivery.waits():
        settle(store, folder)
        return None
    name = (journal.mirror.start or {}).get("name", folder.name)
    before, why = delivery.num_waiting(), away
    if address != store.address:
        return Left(folder, name, 0, before, f"it is for {address}")
    try:
        if not away and delivery.last(0.0):
            settle(store, folder)
    except StoreError as error:
        why = str(error)
    journal.close()
    if delivery.away is not None:
        why, away = delivery.away.got, delivery.away.got
    after = delivery.num_waiting()
    return Left(folder, name, before - after, after, why if after else "", bool(away))


def take_along(store: Store, say: Callable[[str], None], but: Path | None = None) -> bool:
    """Delivers what earlier runs have left, before a command does its own; whether nothing waits any more.

    Args:
        store: an open store.
        say: prints a line; nothing is said where nothing was left.
        but: folder of a run that will see to its own.
    """
    if not (store.root / FOLDER).is_dir():
        return True
    found = list(deliver_left(store, but=but))
    done = [left for left in found if left.num_delivered]
    waiting = [left for left in found if left.num_waiting]
    if done:
        lines = counted(sum(left.num_delivered for left in done), "line")
        say(f"{lines} of {counted(len(done), 'earlier run')} waited here; the record store has them now.")
    if waiting:
        say(f"{counted(len(waiting), 'earlier run')} still waiting for the store: `seedbed sync` says why.")
    return not waiting
