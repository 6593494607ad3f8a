"""Takes what a run's journals hold to the store, and goes without a store that is away.

There is no thread: an attempt is made where something has been written, not too soon after the last,
because together lines take fewer requests. It ends after a bounded time, and after one that was in vain
there is a growing pause without any.
"""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from seedbed.errors import AwayError, Stopped, StoreError
from seedbed.terminal import counted, said
from seedbed.track.away import BYTES_A_SECOND, REQUEST_SECONDS, brief, is_full
from seedbed.track.entries import Entry
from seedbed.track.journal import Journal
from seedbed.track.outbox import Outbox
from seedbed.track.requests import about, grouped, send
from seedbed.track.store import Store
from seedbed.track.telling import told

# Of one attempt; of one request, to a store that is slow; between attempts; a slow attempt's share of time.
ATTEMPT_SECONDS, MAX_REQUEST_SECONDS, MAX_PAUSE_SECONDS, SHARE = 10.0, 20.0, 60.0, 0.2
SLOW_SECONDS = 1.0
# Kinds whose lines name what is kept in the outbox.
FILES = ("artifact", "model")
NOTHING_LOST = "Nothing is lost: it is in the run's folder and goes out with the next delivery."
SEE_TO = "See to the store; the run's folder keeps what it has."


class Delivery:
    """What one run has for the store, on its way.

    Args:
        store: where the run is, or is to be.
        folder: the run's.
        journal: the run's own; those of its ranks' devices lie below it.
        sync: whether what the store refuses waits on; else it is told once and passed over.
    """

    def __init__(self, store: Store, folder: Path, journal: Journal, *, sync: bool = False) -> None:
        self._store, self._folder, self._journal, self._sync = store, folder, journal, sync
        self._outbox = Outbox(folder)
        self._pause, self._not_before = 0.0, 0.0
        self._request_seconds = MAX_REQUEST_SECONDS if sync else REQUEST_SECONDS
        self._least = store.deliver_seconds
        self.away: AwayError | None = None

    def waits(self) -> bool:
        """Whether the store may lack anything."""
        return any(journal.waits() for journal in self._journals())

    def num_waiting(self) -> int:
        """Lines that the store may lack."""
        return sum(1 for journal in self._journals() for _ in journal.undelivered())

    def attempt(self) -> bool:
        """Takes to the store what waits, in order, for no longer than is bounded; whether all has arrived.

        Raises:
            StoreError: for what the store refuses, and where this machine's disk is full.
        """
        if not self.waits():
            return True
        began = time.monotonic()
        if began < self._not_before:
            return False
        try:
            arrived = self._deliver(began + ATTEMPT_SECONDS)
        except AwayError as error:
            self._gone(error, time.monotonic() - began)
            return False
        self._there(time.monotonic() - began)
        return arrived

    def last(self, patience_seconds: float) -> bool:
        """Attempts until all has arrived, or nothing has for so long; a signal ends the wait.

        Raises:
            StoreError: as `attempt`.
        """
        if patience_seconds:  # nothing else waits: a slow store answers once instead of refusing twice
            self._request_seconds = max(self._request_seconds, min(patience_seconds, MAX_REQUEST_SECONDS))
        moved, since = self._moved(), time.monotonic()
        while True:
            self._not_before = 0.0
            if self.attempt():
                return True
            now, before, moved = time.monotonic(), moved, self._moved()
            if moved > before:
                since = now
                continue
            if now - since >= patience_seconds:
                return False
            try:
                time.sleep(min(1.0, patience_seconds))
            except (Stopped, KeyboardInterrupt):
                return False

    def hurry(self) -> None:
        """Lets every line go out as soon as it is written, from now on."""
        self._least = self._not_before = 0.0

    def _moved(self) -> int:
        """Grows with everything that arrives."""
        return sum(journal.delivered() for journal in self._journals())

    def _deliver(self, deadline: float) -> bool:
        for journal in self._journals():
            for group in grouped(journal.undelivered()):
                self._send(journal, group)
                if time.monotonic() > deadline:
                    return not self.waits()
        return True

    def _send(self, journal: Journal, group: Sequence[Entry]) -> None:
        """Takes a group to the store and notes it; of one that is refused, each line by itself."""
        try:
            self._request(journal, group)
        except AwayError:
            raise
        except StoreError as error:
            if len(group) == 1:
                self._refused(journal, group[0], error)
                raise
            for entry in group:
                self._send(journal, [entry])
        else:
            journal.mark_delivered(group[-1].end)
            for entry in group:
                if entry.kind in FILES:
                    self._outbox.drop(entry.value["file"])

    def _refused(self, journal: Journal, entry: Entry, error: StoreError) -> None:
        """Passes over a line that the store will never take; a full disk may have room later."""
        if not self._sync and not is_full(error.__cause__):
            journal.write("refused", entry.begin)
            journal.mark_delivered(entry.end)

    def _request(self, journal: Journal, group: Sequence[Entry]) -> None:
        for entry in group:
            if entry.kind in FILES and not (self._folder / entry.value["file"]).exists():
                if journal.delivered() >= entry.end:
                    return  # another process was faster
                raise _missing(self._folder / entry.value["file"])
        if any(entry.kind == "metrics" for entry in group):
            journal.secure()
        run_id = self._journal.mirror.run_id or self._folder.name
        what = about(group)
        do = NOTHING_LOST if what == "metrics" else SEE_TO
        with brief(self._seconds(group)), told(f"run {run_id}, {what}", do=do):
            send(self._store, self._journal, self._folder, group)

    def _seconds(self, group: Sequence[Entry]) -> float:
        """How long one request may take."""
        kept = [entry.value["paths"] for entry in group if entry.kind in FILES]
        size: int = sum(told["bytes"] for paths in kept for told in paths.values())
        return self._request_seconds + size / BYTES_A_SECOND

    def _journals(self) -> Iterator[Journal]:
        """The run's own, and those that its processes keep of their devices."""
        yield self._journal
        yield from map(Journal, sorted(self._folder.glob("rank_*")))

    def _gone(self, error: AwayError, took: float) -> None:
        if self.away is None and not self._sync:
            said(
                f"The record store {self._store.address} is away ({error.got}). The run goes on; "
                f"what it says waits in {self._folder}."
            )
        self.away = error
        self._pause = min(MAX_PAUSE_SECONDS, max(1.0, 2 * self._pause))
        self._not_before = time.monotonic() + max(self._pause, took / SHARE)
        if took > REQUEST_SECONDS * 0.9:  # it may be there, and slow
            self._request_seconds = min(MAX_REQUEST_SECONDS, 2 * self._request_seconds)

    def _there(self, took: float) -> None:
        if self.away is not None and not self._sync:
            said(f"The record store {self._store.address} is back; nothing is lost.")
        self.away, self._pause = None, 0.0
        rest = max(self._least, took / SHARE if took > SLOW_SECONDS else 0.0)
        self._not_before = time.monotonic() + rest if rest else 0.0

    def tell_waiting(self) -> None:
        """Says that the run is over and its record is not whole yet."""
        said(
            f"{counted(self.num_waiting(), 'line')} of the record wait in {self._folder}: "
            "`seedbed sync`, or the next command, takes them to the store."
        )


def _missing(file: Path) -> StoreError:
    return StoreError(
        str(file),
        expected="the file that waits for the store",
        got="none",
        do="Put it back, or take its line out of the journal.",
    )
