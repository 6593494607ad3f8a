"""A server whose disk is full: runs end well, and what it had no room for arrives when it has."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from seedbed.track.store import Store
from tests.conftest import MakeJob
from tests.served import free_port
from tests.server.conftest import Start
from tests.server.postgres import Postgres, account, new_folder
from tests.server.revived import Revived
from tests.server.trainers import backend
from tests.test_disk_full import Mount, fill, free
from tests.test_disk_full import mount as mount  # a fixture

pytestmark = pytest.mark.server
SIZE_MIB = 160


@pytest.fixture
def small() -> Iterator[Path]:
    """A disk of its own for a database, which the account that this runs as may write to."""
    folder = new_folder()
    owner = f",uid={account()[2]},mode=755" if account() else ""
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MIB}m{owner}", "none", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"mounting a tmpfs needs root: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)
    folder.rmdir()


def test_a_server_without_room_for_artifacts_gets_them_later(
    server: Revived, start: Start, mount: Mount, tmp_path: Path
) -> None:
    disk = mount(tmp_path / "served" / "artifacts")
    fill(disk)
    study = start(server.address, 2, 1, 10)
    study.end()  # each waits its patience, then says what waits
    assert "wait in" in study.logs()
    free(disk)
    assert study.check(Store.open(study.root, server.address)) >= 2 * 10 * 2


def test_a_database_without_room_loses_nothing(
    make_job: MakeJob, start: Start, small: Path, tmp_path: Path
) -> None:
    cluster = Postgres(free_port(), small)
    server = Revived(tmp_path / "served", backend(cluster, "small"))
    server.start()
    try:
        study = start(server.address, 2, 2, 60)
        study.wait_begun()
        fill(small)
        study.acted()
        time.sleep(5)  # full, with two runs at work
        free(small)
        cluster.ensure()
        study.acted()
        study.end()
        assert study.check(Store.open(study.root, server.address)) >= 2 * 60 * 2
    finally:
        server.remove()
        cluster.stop("immediate")
