"""Runs at work while their server, its database and the way there fail: nothing is lost, nothing is twice.

After each, every run is compared with its own journal, point by point.
"""

import random
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from seedbed.track.leftover import deliver_left
from seedbed.track.store import Store
from tests.conftest import MakeJob
from tests.served import Served
from tests.server.faulty import FAULTS, OK, Faulty
from tests.server.postgres import Postgres
from tests.server.trainers import Study, on_postgres

pytestmark = pytest.mark.server
Start = Callable[..., Study]


@pytest.fixture
def server(postgres: Postgres, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Served]:
    served = on_postgres(postgres, tmp_path / "served", f"faults_{abs(hash(request.node.name)):x}")
    served.start()
    yield served
    served.kill()


@pytest.fixture
def start(make_job: MakeJob, tmp_path: Path) -> Iterator[Start]:
    """Starts the runs of a study against an address, and ends what a test that failed leaves."""
    started: list[Study] = []

    def begin(address: str, num_runs: int, num_acts: int, num_epochs: int) -> Study:
        started.append(Study(make_job, tmp_path / "mlruns", address, num_runs, num_acts, num_epochs))
        return started[0]

    yield begin
    for study in started:
        study.kill()


def checked(study: Study, server: Served) -> int:
    """All has arrived, by the runs themselves or by `seedbed sync`'s own means; the number of points."""
    store = Store.open(study.root, server.address)
    assert [left for left in deliver_left(store, everywhere=True) if left.num_waiting] == []
    return study.check(store)


def test_a_server_killed_twenty_times_loses_nothing_of_eight_runs_at_once(
    server: Served, start: Start
) -> None:
    draw = random.Random(0)  # noqa: S311 (no secret)
    study = start(server.address, 8, 20, 100)
    study.wait_begun()
    for _ in range(20):
        time.sleep(draw.uniform(0, 2))  # somewhere in a delivery, or between two
        server.kill()
        study.acted()
        server.start()
    study.end()
    assert checked(study, server) >= 8 * 100 * 2


def test_a_database_that_restarts_in_the_middle_loses_nothing(
    postgres: Postgres, server: Served, start: Start
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
    assert checked(study, server) >= 4 * 40 * 2


@pytest.mark.parametrize("seed", [0, 1])
def test_a_way_that_fails_at_random_loses_nothing_and_doubles_nothing(
    server: Served, start: Start, seed: int
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
    finally:
        proxy.shutdown()
        proxy.server_close()
        thread.join()
    assert set(FAULTS) == set(happened), happened
    assert checked(study, server) >= 4 * 30 * 2
