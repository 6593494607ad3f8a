"""One PostgreSQL for all tests of a process: each takes a database of its own."""

from collections.abc import Iterator

import pytest

from tests.server.postgres import Postgres
from tests.track.test_server import free_port


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    cluster = Postgres(free_port())
    yield cluster
    cluster.remove()
