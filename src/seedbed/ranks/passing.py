"""The signal to make room, passed on to the ranks: they agree on the step after which they stop."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil

from seedbed.stopping import QUEUE_AGAIN


@contextmanager
def passing_on(program: str) -> Iterator[None]:
    """While entered, the signal goes to this process's ranks and ends nothing here.

    The ranks are started with it blocked, so that one that comes while they import does not kill them:
    it waits until they listen. This process gets it through a thread of its own.

    Args:
        program: the module that the ranks run; other children do not know the signal and would die of it.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = signal.signal(QUEUE_AGAIN, lambda *_: _to_ranks(program))
    over = threading.Event()
    listener = threading.Thread(target=_listen, args=(over,), daemon=True)
    signal.pthread_sigmask(signal.SIG_BLOCK, {QUEUE_AGAIN})
    listener.start()
    try:
        yield
    finally:
        over.set()
        listener.join()
        signal.signal(QUEUE_AGAIN, previous)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {QUEUE_AGAIN})


def _listen(over: threading.Event) -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {QUEUE_AGAIN})
    over.wait()


def _to_ranks(program: str) -> None:
    for child in psutil.Process().children():
        with suppress(psutil.NoSuchProcess):
            if program in child.cmdline():
                child.send_signal(QUEUE_AGAIN)
