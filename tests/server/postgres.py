"""A real PostgreSQL on a loopback port, without systemd, in a folder of its own."""

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import final
from urllib.parse import quote

import pytest

from tests.conftest import PUBLIC

USER = "grower"
# What an address, a shell and a configuration file each take for a sign of their own.
PASSWORD = "p@ss:w/o%rd #1 $x"  # noqa: S105 (of a database that lives for a test)


def programs() -> Path:
    """The folder of PostgreSQL's programs; the test is skipped where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    on_path = shutil.which("initdb")
    if not found and on_path is None:
        pytest.skip("needs PostgreSQL's server programs: Debian's package postgresql")
    return (found[-1] if found else Path(str(on_path))).resolve().parent


def account() -> list[str]:
    """The words that run a program as somebody PostgreSQL accepts: it refuses root."""
    if os.geteuid() != 0:
        return []
    try:
        pwd.getpwnam("postgres")
    except KeyError:
        pytest.skip("PostgreSQL refuses root, and there is no account `postgres`")
    return ["runuser", "-u", "postgres", "--"]


def new_folder() -> Path:
    """Not a test's own folder, which the other account may not enter."""
    return Path(tempfile.mkdtemp(prefix="seedbed-postgres-", dir=PUBLIC))


@final
class Postgres:
    """A cluster with one database, `mlflow`, whose owner signs in by password.

    Args:
        port: where it listens on loopback.
        folder: new and empty, where the account that it runs as may enter.
    """

    def __init__(self, port: int, folder: Path) -> None:
        self.port, self.folder, self._bin, self._as = port, folder, programs(), account()
        word = self.folder / "word"
        word.write_text(PASSWORD)
        if self._as:
            for path in (self.folder, word):
                shutil.chown(path, "postgres")
        self._run("initdb", "-U", USER, "--auth=scram-sha-256", f"--pwfile={word}", "-E", "UTF8", "--no-sync")
        self.start()
        self._run_client("createdb", "mlflow")

    def start(self) -> None:
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1"
        self._run("pg_ctl", "-l", str(self.folder / "log"), "-w", "-o", options, "start")

    def stop(self, mode: str = "fast") -> None:
        """Ends it; `immediate` is as a crash."""
        self._run("pg_ctl", "-m", mode, "-w", "stop")

    def ensure(self) -> None:
        """Starts it again where it has ended by itself: a full disk can do that."""
        command = [*self._as, str(self._bin / "pg_ctl"), "-D", str(self.folder / "data"), "status"]
        if subprocess.run(command, cwd=self.folder, capture_output=True, check=False).returncode:
            self.start()

    def remove(self) -> None:
        self.stop("immediate")
        shutil.rmtree(self.folder)

    def new(self, name: str) -> str:
        """The address of a new, empty database, password included."""
        self._run_client("createdb", name)
        return self.url(name)

    def url(self, name: str = "mlflow", *, password: str | None = PASSWORD) -> str:
        word = "" if password is None else f":{quote(password, safe='')}"
        return f"postgresql://{USER}{word}@127.0.0.1:{self.port}/{name}"

    def dump(self, name: str) -> str:
        """Everything that a database holds, as text."""
        return self._run_client("pg_dump", name)

    def _run(self, program: str, *words: str) -> None:
        command = [*self._as, str(self._bin / program), "-D", str(self.folder / "data"), *words]
        # Not to a pipe: the server that pg_ctl leaves behind would hold it open.
        with (self.folder / "out").open("ab") as out:
            done = subprocess.run(
                command, cwd=self.folder, stdout=out, stderr=out, stdin=subprocess.DEVNULL, check=False
            )
        assert done.returncode == 0, (self.folder / "out").read_text()

    def _run_client(self, program: str, *words: str) -> str:
        command = [str(self._bin / program), "-h", "127.0.0.1", "-p", str(self.port), "-U", USER, *words]
        environment = {**os.environ, "PGPASSWORD": PASSWORD}
        return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
