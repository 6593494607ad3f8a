"""SIGINT and SIGTERM become one exception, at once or at the next step boundary.

The owner of both signals while a run lives: Lightning would end the process on the one and leave
the record RUNNING on the other.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from seedbed.errors import Stopped

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopping:
    """Listens while entered; a first signal inside `deferred` waits for `check`, a second does not."""

    def __init__(self) -> None:
        self._pending: int | None = None
        self._deferring = False

    @contextmanager
    def listening(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield  # only the main thread may set handlers
            return
        previous = {number: signal.getsignal(number) for number in SIGNALS}
        self.claim()
        try:
            yield
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)

    def claim(self) -> None:
        """Takes the handlers (again: Lightning replaces SIGTERM's when it starts to fit)."""
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                signal.signal(number, self._receive)

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """Lets the current step end before a signal takes effect."""
        self._deferring = True
        try:
            yield
        finally:
            self._deferring = False
        self.check()

    def check(self) -> None:
        """At a step boundary: acts on the signal that came during the step.

        Raises:
            Stopped: where one came.
        """
        if self._pending is not None:
            number, self._pending = self._pending, None
            raise Stopped(number)

    def _receive(self, number: int, _frame: FrameType | None) -> None:
        if self._deferring and self._pending is None:
            self._pending = number
        else:
            raise Stopped(number)
