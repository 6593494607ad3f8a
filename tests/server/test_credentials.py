"""Secrets: where they may stand, and what is refused without showing them."""

import re
from pathlib import Path

import pytest

from seedbed.errors import ConfigError
from seedbed.server.credentials import credentials

ADDRESS = "postgresql://me@127.0.0.1:5432/mlflow"
WORD = "s3cret:%/@word"


def written(folder: Path, text: str, mode: int = 0o600) -> Path:
    file = folder / "credentials"
    file.write_text(text)
    file.chmod(mode)
    return file


def test_a_file_and_the_environment_complete_each_other(tmp_path: Path) -> None:
    file = written(tmp_path, f"# ours\n\nSEEDBED_DATABASE_PASSWORD={WORD}\nSEEDBED_ADMIN=head\n")
    given = credentials(file, {"SEEDBED_DATABASE": ADDRESS, "SEEDBED_ADMIN_PASSWORD": "twelve or more"})
    assert (given.database.password, given.database.drivername) == (WORD, "postgresql+psycopg2")
    assert (given.admin, given.password) == ("head", "twelve or more")


def test_credentials_do_not_show_their_passwords() -> None:
    given = credentials(None, {"SEEDBED_DATABASE": ADDRESS, "SEEDBED_DATABASE_PASSWORD": WORD})
    assert WORD not in repr(given)
    given = given._replace(password="another secret")  # noqa: S106
    assert "another secret" not in repr(given)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644])
def test_a_file_that_others_can_read_or_write_is_refused(tmp_path: Path, mode: int) -> None:
    file = written(tmp_path, f"SEEDBED_DATABASE={ADDRESS}\n", mode)
    told = f"{file}: expected a file that only its owner can read or write, got mode {mode:o}. Run `chmod 600"
    with pytest.raises(ConfigError, match=re.escape(told)):
        credentials(file, {})


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({}, "SEEDBED_DATABASE: expected postgresql://USER@HOST:PORT/NAME, got nothing. Set it in the env"),
        ({"SEEDBED_DATABASE": f"mysql://me:{WORD}@h/x"}, "PORT/NAME, got an address of 'mysql'"),
        ({"SEEDBED_DATABASE": "postgresql://me@h"}, "SEEDBED_DATABASE: expected postgresql://USER@HOST"),
        ({"SEEDBED_DATABASE": f"{WORD} and no address"}, "got an address of 'unreadable'"),
        (
            {"SEEDBED_DATABASE": "postgresql://me:one@h/x", "SEEDBED_DATABASE_PASSWORD": WORD},
            "expected one password of the database, got one here and another inside SEEDBED_DATABASE",
        ),
        (
            {"SEEDBED_DATABASE": ADDRESS, "SEEDBED_ADMIN_PASSWORD": "short"},
            "SEEDBED_ADMIN_PASSWORD: expected at least 12 characters, got 5. Choose a longer one.",
        ),
    ],
)
def test_what_cannot_work_is_refused_without_showing_it(environment: dict[str, str], told: str) -> None:
    with pytest.raises(ConfigError) as refused:
        credentials(None, environment)
    assert told in str(refused.value)
    assert WORD not in str(refused.value)


def test_a_name_with_two_values_is_refused(tmp_path: Path) -> None:
    file = written(tmp_path, f"SEEDBED_DATABASE_PASSWORD={WORD}\n")
    with pytest.raises(ConfigError, match="expected one value, got one in the environment and another in"):
        credentials(file, {"SEEDBED_DATABASE": ADDRESS, "SEEDBED_DATABASE_PASSWORD": "other"})


@pytest.mark.parametrize(
    ("line", "told"), [("PASSWORD=x", "got the name 'PASSWORD'"), (WORD, "got a line without =")]
)
def test_a_line_that_means_nothing_is_refused(tmp_path: Path, line: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told) as refused:
        credentials(written(tmp_path, f"{line}\n"), {"SEEDBED_DATABASE": ADDRESS})
    assert WORD not in str(refused.value)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"expected a file to read, got No such file or directory"):
        credentials(tmp_path / "none", {})
