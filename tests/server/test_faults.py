"""Runs at work while their server, its database and the way there fail: nothing is lost, nothing is twice.

After each, every run is compared with its own journal, point by point.
"""

import random
import threading
import time

import pytest

from seedbed.track.store import Store
from tests.server.conftest import Start
from tests.server.faulty import FAULTS, OK, Faulty
from tests.server.postgres import Postgres
from tests.server.revived import Revived

pytestmark = pytest.mark.server


def test_a_server_killed_twenty_times_loses_nothing_of_eight_runs_at_once(
    server: Revived, start: Start
) -> None:
    draw = random.Random(0)  # noqa: S311 (no secret)
    study = start(server.address, 8, 20, 100)
    study.wait_begun()
    for _ in range(20):
        time.sleep(draw.uniform(0, 2))  # somewhere in a delivery, or between two
        server.kill()
        study.acted()
        time.sleep(draw.uniform(0, 2))  # away
        server.start()
    study.end()
    assert study.check(Store.open(study.root, server.address)) >= 8 * 100 * 2


def test_a_database_that_restarts_in_the_middle_loses_nothing(
    postgres: Postgres, server: Revived, start: Start
) -> None:
    """Twice as by hand, twice as after a crash; MLflow's server stays up and tells of its loss."""
    study = start(server.address, 4, 4, 40)
    study.wait_begun()
    for mode in ("fast", "immediate", "fast", "immediate"):
        time.sleep(1)
        postgres.stop(mode)
        study.acted()
        time.sleep(2)
        postgres.start()
    study.end()
    assert study.check(Store.open(study.root, server.address)) >= 4 * 40 * 2


@pytest.mark.parametrize("seed", [0, 1])
def test_a_way_that_fails_at_random_loses_nothing_and_doubles_nothing(
    server: Revived, start: Start, seed: int
) -> None:
    """Of fourteen requests six fail: before the server has done what they ask for, or after."""
    proxy = Faulty(server.port, seed, {OK: 1})
    thread = threading.Thread(target=proxy.serve_forever)
    thread.start()
    try:
        study = start(proxy.address, 4, 0, 30)
        proxy.faults = dict(FAULTS)
        study.end()
        happened = proxy.happened.copy()
        proxy.faults = {OK: 1}  # what a run could not deliver at its end goes the same way afterwards
        assert study.check(Store.open(study.root, proxy.address)) >= 4 * 30 * 2
    finally:
        proxy.shutdown()
        proxy.server_close()
        thread.join()
    assert set(FAULTS) == set(happened), happened
