"""SIGINT, SIGTERM and SIGUSR2 become one exception, at once or at the next step boundary.

The owner of these signals while a run lives: Lightning would end the process on the one and leave
the record RUNNING on the other. The third is a cluster's: make room, to be queued again.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from seedbed.errors import Stopped

# Schedulers send it more than once, and to all processes of a job: once heard, it says nothing new.
QUEUE_AGAIN = signal.SIGUSR2
SIGNALS = (signal.SIGINT, signal.SIGTERM, QUEUE_AGAIN)
# From what waits at this rank to what waits at any: `Seat.largest`.
Agree = Callable[[int], int]


def alone(number: int) -> int:
    """Where there is one rank."""
    return number


class Stopping:
    """Listens while entered; a first signal inside `deferred` waits for `check`, a second does not."""

    def __init__(self) -> None:
        self.pending = 0  # number of the signal that waits; 0: none, which is no signal's
        self._deferring, self._heard = False, False

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
                # What is told again on its way out must not die of it: it would look like a crash.
                late = number == QUEUE_AGAIN and self._heard and handler == signal.SIG_DFL
                signal.signal(number, signal.SIG_IGN if late else handler)

    def claim(self) -> None:
        """Takes the handlers (again: Lightning replaces SIGTERM's when it starts to fit)."""
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                signal.signal(number, self._receive)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)  # whoever started this may have held them

    @contextmanager
    def deferred(self, agree: Agree = alone) -> Iterator[None]:
        """Lets the current step end before a signal takes effect, on whichever rank it came."""
        self._deferring = True
        try:
            yield
        finally:
            self._deferring = False
        self.check(agree)

    def check(self, agree: Agree = alone) -> None:
        """At a boundary that all ranks come to: acts on the signal that one of them has waiting.

        Raises:
            Stopped: on all of them, where there is one.
        """
        number = agree(self.pending)
        if number:
            self.pending = 0
            self._heard |= number == QUEUE_AGAIN  # from another rank; its own may still be on the way
            raise Stopped(number)

    def _receive(self, number: int, _frame: FrameType | None) -> None:
        if number == QUEUE_AGAIN:
            if self._heard:
                return
            self._heard = True
        if self._deferring and not self.pending:
            self.pending = number
        else:
            raise Stopped(number)
