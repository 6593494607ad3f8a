"""A run that says everything to its journal first, and by it to the store."""

from contextlib import AbstractContextManager
from typing import Any

from seedbed.track.delivery import SEE_TO, Delivery
from seedbed.track.entries import Point
from seedbed.track.hold import Hold
from seedbed.track.journal import Journal
from seedbed.track.outbox import Outbox
from seedbed.track.store import Store
from seedbed.track.telling import told
from seedbed.track.waiting import expect, settle


class Journalled:
    """One run's journal, and the way from it to the store.

    Args:
        store: an open store.
        run_id: MLflow's id of a run that is in it, or the local id of one that is to be.
    """

    def __init__(self, store: Store, run_id: str) -> None:
        self.store = store
        self.folder = (store.root / "runs" / run_id).resolve()  # a link, where the run began without an id
        self._journal = Journal(self.folder)
        self._outbox = Outbox(self.folder)
        self._delivery = Delivery(store, self.folder, self._journal)
        self._hold: Hold | None = None
        self._stored_id: str | None = None

    @property
    def run_id(self) -> str:
        """The store's id; the local one where the store has not been told of the run yet."""
        if self._stored_id is None:
            self._stored_id = self._journal.mirror.run_id
        return self._stored_id or self.folder.name

    @property
    def waits(self) -> bool:
        """Whether the store may lack anything of the run."""
        return self._delivery.waits()

    def points(self) -> list[Point]:
        """Every point of the run itself, in the order of writing; its ranks' devices have their own."""
        return self._journal.points()

    def deliver(self) -> bool:
        """Takes what waits to the store, in order, in few requests; whether all has arrived.

        Delivering twice does no harm, so that a crash between sending and noting that it was sent
        costs one request, no more. A store that is away is told once and does not hold up the run.

        Raises:
            StoreError: where the store refuses something, or this machine's disk is full.
        """
        return self._delivery.attempt()

    def _note(self, kind: str, value: Any) -> None:
        """Writes a line, and takes it to the store if that is there."""
        expect(self.store, self.folder)
        self._journal.write(kind, value)
        self._delivery.attempt()

    def _begin(self) -> None:
        """Takes the run for this process."""
        self._hold = Hold(self.folder)
        expect(self.store, self.folder)

    def _let_go(self, *, over: bool) -> None:
        """Gives the run back.

        Args:
            over: for good; what the store may still lack goes out from here.
        """
        if not self.waits:
            settle(self.store, self.folder)
        if self._hold is not None:
            self._hold.release(forget=over)

    def _told(self, what: str, do: str = SEE_TO) -> AbstractContextManager[None]:
        return told(f"run {self.run_id}, {what}", do=do)
