"""One PostgreSQL for all tests of a process: each takes a database of its own."""

from collections.abc import Iterator

import pytest

from tests.served import free_port
from tests.server.postgres import Postgres, new_folder


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    cluster = Postgres(free_port(), new_folder())
    yield cluster
    cluster.remove()
