"""Waiting for a store that is away, by a process that can do nothing without it."""

import time
from collections.abc import Callable
from typing import TypeVar

from seedbed.errors import AwayError
from seedbed.track.away import brief
from seedbed.track.leftover import deliver_left
from seedbed.track.store import Store
from seedbed.track.telling import told

# Between two looks; of one request, which may ask for much.
RETRY_SECONDS, REQUEST_SECONDS = 2.0, 30.0
SEE_TO = "See to the store; the same command goes on from here."

T = TypeVar("T")


def when_there(store: Store, act: Callable[[], T], say: Callable[[str], None]) -> T:
    """What this gives, as soon as the store is there; as long as it takes, until a signal ends it.

    Args:
        store: an open store.
        act: asks it something, and may do so again.
        say: prints a line.

    Raises:
        StoreError: for what the store refuses.
    """
    waited = False
    while True:
        try:
            with brief(REQUEST_SECONDS), told(f"record store {store.address}", do=SEE_TO):
                found = act()
        except AwayError as error:
            if not waited:
                say(f"Waiting for the record store, which is away ({error.got}); nothing is lost.")
            waited = True
            time.sleep(RETRY_SECONDS)
            continue
        if waited:
            say("The record store is back.")
        return found


def complete(store: Store) -> None:
    """Takes to the store what the runs of its folder have left.

    Raises:
        AwayError: where it is away.
    """
    for left in deliver_left(store):
        if left.away:
            raise AwayError(str(left.folder), expected="a store that takes it", got=left.why, do=SEE_TO)
