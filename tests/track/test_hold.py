"""One process a run, and a lock that outlives no process."""

import errno
import fcntl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from seedbed.errors import StoreError
from seedbed.track.hold import Hold, holder

HOLDER = """
import sys
from pathlib import Path
from seedbed.track.hold import Hold

hold = Hold(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def held_elsewhere(folder: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", HOLDER, str(folder)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_run_that_another_process_writes_to_is_refused_until_that_one_is_dead(tmp_path: Path) -> None:
    told = f"^run {tmp_path.name}: expected a run that no process is at work on, got one .* start again"
    with held_elsewhere(tmp_path) as process:
        with pytest.raises(StoreError, match=told):
            Hold(tmp_path)
        process.kill()
        process.communicate()
        Hold(tmp_path).release(forget=False)


def test_the_process_that_writes_to_a_run_is_known_as_long_as_it_lives(tmp_path: Path) -> None:
    assert holder(tmp_path) is None
    with held_elsewhere(tmp_path) as process:
        assert holder(tmp_path) == process.pid
        process.kill()
        process.communicate()
        assert holder(tmp_path) is None


def test_what_is_released_is_free_and_forgotten_only_for_good(tmp_path: Path) -> None:
    hold = Hold(tmp_path)
    hold.release(forget=False)
    assert hold.path.exists()
    with held_elsewhere(tmp_path):
        pass
    over = Hold(tmp_path)
    for _ in range(2):
        over.release(forget=True)
    assert not over.path.exists()


def test_a_file_system_without_locks_refuses_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def without(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "lockf", without)
    Hold(tmp_path).release(forget=True)


def test_another_trouble_with_the_lock_is_not_taken_for_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(fcntl, "lockf", broken)
    with pytest.raises(OSError, match="Input/output error"):
        Hold(tmp_path)
