"""`seedbed server` on a real PostgreSQL: what it lets in, what it shows, how it ends, what it refuses."""

import os
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil
import pytest

from seedbed.server.credentials import NAMES
from tests.served import free_port
from tests.server.postgres import PASSWORD, Postgres
from tests.server.serving import ADMIN_PASSWORD, SIGNED, TO_END, Served, clean, command, serving, status

pytestmark = pytest.mark.server
SECRETS = (PASSWORD, ADMIN_PASSWORD)
SEARCH = "/api/2.0/mlflow/experiments/search?max_results=1"


def ended(names: Mapping[str, str], port: int | None = None) -> subprocess.CompletedProcess[str]:
    """A server that is to refuse at once."""
    return subprocess.run(
        command(port or free_port()),
        cwd=tempfile.gettempdir(),  # it may make its folder before it refuses
        env=clean(**names),
        capture_output=True,
        text=True,
        timeout=TO_END,
        check=False,
    )


@pytest.fixture(scope="module")
def server(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    file = folder / "credentials"
    file.write_text(
        f"SEEDBED_DATABASE={postgres.url(password=None)}\nSEEDBED_DATABASE_PASSWORD={PASSWORD}\n"
        f"SEEDBED_ADMIN_PASSWORD={ADMIN_PASSWORD}\n"
    )
    file.chmod(0o600)
    with serving(folder, free_port(), {}, "--credentials", str(file), "--allowed-host", "lab") as served:
        yield served


def test_only_who_signs_in_is_let_in(server: Served) -> None:
    assert status(server.url + SEARCH) == 401
    assert status(server.url + SEARCH, SIGNED) == 200


@pytest.mark.parametrize(
    ("host", "code"), [("lab", 200), ("lab:{port}", 200), ("localhost:{port}", 200), ("evil", 403)]
)
def test_only_its_own_names_are_answered(server: Served, host: str, code: int) -> None:
    named = host.format(port=server.url.rpartition(":")[2])
    assert status(server.url + SEARCH, {**SIGNED, "Host": named}) == code


@pytest.mark.parametrize(("origin", "code"), [("https://lab", 400), ("https://evil.example", 403)])
def test_only_its_own_pages_may_change_something(server: Served, origin: str, code: int) -> None:
    create = f"{server.url}/api/2.0/mlflow/experiments/create"  # 400: let in, and told that a name is missing
    assert status(create, {**SIGNED, "Origin": origin}, "POST") == code


def test_no_command_line_and_no_log_shows_a_secret(server: Served) -> None:
    lines = [" ".join(process.cmdline()) for process in server.family()]
    assert len(lines) > 2
    assert any("--app-name basic-auth" in line for line in lines)
    shown = "\n".join([*lines, server.log.read_text()])
    assert not [secret for secret in SECRETS if secret in shown]
    assert "%40ss" not in shown  # the database's, as it stands in an address


def test_the_file_with_its_secrets_is_for_nobody_else(server: Served) -> None:
    names = [process.environ().get("MLFLOW_AUTH_CONFIG_PATH") for process in server.family()]
    (file,) = {Path(name) for name in names if name}
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert not any(name in process.environ() for process in server.family()[1:] for name in NAMES)


def test_it_listens_on_loopback_only(server: Served) -> None:
    port = int(server.url.rpartition(":")[2])
    listening = [
        connection.laddr
        for process in server.family()
        for connection in process.net_connections()
        if connection.status == psutil.CONN_LISTEN
    ]
    assert {(address.ip, address.port) for address in listening} == {("127.0.0.1", port)}


def test_it_says_what_to_type_next(server: Served) -> None:
    said = server.log.read_text()
    assert f"export MLFLOW_TRACKING_URI=http://lab:{server.url.rpartition(':')[2]}\n" in said
    assert "export MLFLOW_TRACKING_USERNAME=admin\n" in said


def test_a_port_that_is_taken_is_refused(server: Served) -> None:
    port = int(server.url.rpartition(":")[2])
    done = ended({"SEEDBED_DATABASE": "postgresql://u@127.0.0.1:1/x"}, port)
    assert done.returncode == 2
    assert f"--host 127.0.0.1 --port {port}: expected an address of this machine that is free" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_it_ends_with_all_its_children_and_leaves_no_file(
    postgres: Postgres, tmp_path: Path, number: signal.Signals
) -> None:
    names = {"SEEDBED_DATABASE": postgres.new(number.name.lower()), "SEEDBED_ADMIN_PASSWORD": ADMIN_PASSWORD}
    with serving(tmp_path, free_port(), {**names, "TMPDIR": str(tmp_path)}) as served:
        family = served.family()
        assert list(tmp_path.glob("seedbed-server-*"))
        served.process.send_signal(number)
        assert served.process.wait(TO_END) == 0
    gone, alive = psutil.wait_procs(family, timeout=TO_END)
    assert (len(gone), alive) == (len(family), [])
    assert list(tmp_path.glob("seedbed-server-*")) == []


def test_a_second_start_needs_no_password_and_refuses_another(postgres: Postgres, tmp_path: Path) -> None:
    names = {"SEEDBED_DATABASE": postgres.new("second")}
    done = ended(names)
    assert done.returncode == 2
    told = "SEEDBED_ADMIN_PASSWORD: expected a password for the administrator 'admin', who has no account yet"
    assert told in done.stderr
    with serving(tmp_path, free_port(), {**names, "SEEDBED_ADMIN_PASSWORD": ADMIN_PASSWORD}):
        pass
    with serving(tmp_path, free_port(), names) as served:
        assert status(served.url + SEARCH, SIGNED) == 200
    done = ended({**names, "SEEDBED_ADMIN_PASSWORD": "another long password"})
    assert done.returncode == 2
    assert "got another, which MLflow would ignore. Give that one or none." in done.stderr


def test_a_database_that_is_away_or_refuses_is_one_paragraph(postgres: Postgres) -> None:
    with socket.socket() as taken:  # bound, and nobody listens
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        done = ended({"SEEDBED_DATABASE": f"postgresql://u:secret@127.0.0.1:{port}/x"})
    assert done.returncode == 2
    assert "expected a PostgreSQL that lets us in, got connection to server at" in done.stderr
    assert done.stderr.count("\n") == 1
    wrong = ended({"SEEDBED_DATABASE": postgres.url(password="wrong secret")})  # noqa: S106
    assert f'got connection to server at "127.0.0.1", port {postgres.port} failed: FATAL:' in wrong.stderr
    assert "password authentication failed" in wrong.stderr
    assert "secret" not in done.stderr + wrong.stderr


def test_a_missing_package_is_named(tmp_path: Path) -> None:
    (tmp_path / "psycopg2.py").write_text("raise ImportError(name='psycopg2')\n")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    done = ended({"SEEDBED_DATABASE": "postgresql://u@127.0.0.1:1/x", "PYTHONPATH": path})
    assert done.returncode == 2
    assert "got no psycopg2. Run `pip install 'seedbed[server]'`." in done.stderr
