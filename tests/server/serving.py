"""`seedbed server` as the process that a user starts."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil
from urllib3 import PoolManager, make_headers

ADMIN_PASSWORD = "a long pa%ssword: yes"  # noqa: S105 (of a server that lives for a test)
SIGNED = make_headers(basic_auth=f"admin:{ADMIN_PASSWORD}")
# Seconds, with room for a machine that does other things.
TO_END = 60


class Served(NamedTuple):
    """A server that answers: its process, address and what it printed so far goes to `log`."""

    process: subprocess.Popen[str]
    url: str
    log: Path

    def family(self) -> list[psutil.Process]:
        """The process and all below it."""
        own = psutil.Process(self.process.pid)
        return [own, *own.children(recursive=True)]


def command(port: int, *words: str) -> list[str]:
    return [sys.executable, "-m", "seedbed", "server", "--port", str(port), "--workers", "1", *words]


def clean(**names: str) -> dict[str, str]:
    """An environment with these names of ours and no others."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SEEDBED_", "MLFLOW_"))}
    return {**kept, **names}


@contextmanager
def serving(folder: Path, port: int, names: Mapping[str, str], *words: str) -> Iterator[Served]:
    """The server, once it says what to type next; then ended by Ctrl-C."""
    log, url = folder / "server.log", f"http://127.0.0.1:{port}"
    with log.open("ab") as errors:
        process = subprocess.Popen(
            command(port, *words),
            cwd=folder,
            env=clean(**names),
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    assert process.stdout is not None
    try:
        for line in process.stdout:
            with log.open("a") as file:
                file.write(line)
            if line.startswith("The last two"):
                break
        else:
            raise AssertionError(log.read_text())
        yield Served(process, url, log)
    finally:
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=TO_END)
        with log.open("a") as file:
            file.write(rest)


def status(url: str, headers: Mapping[str, str] | None = None, method: str = "GET") -> int:
    """What the server answers with."""
    with PoolManager(retries=False, timeout=TO_END) as pool:
        return pool.request(method, url, headers=dict(headers or {})).status
