"""A PostgreSQL for all tests of a process, a server and a study for one test."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import MakeJob
from tests.served import free_port
from tests.server.postgres import Postgres, new_folder
from tests.server.revived import Revived
from tests.server.trainers import Study, backend

Start = Callable[..., Study]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    cluster = Postgres(free_port(), new_folder())
    yield cluster
    cluster.remove()


@pytest.fixture
def server(postgres: Postgres, tmp_path: Path) -> Iterator[Revived]:
    revived = Revived(tmp_path / "served", backend(postgres, f"faults_{uuid.uuid4().hex}"))
    revived.start()
    yield revived
    revived.remove()


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
