"""The page's compose file, as far as it can be tried without docker."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from seedbed.cli.serving import server
from seedbed.server.address import LOOPBACK, Address
from seedbed.server.credentials import NAMES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "src/seedbed/server/README.md").read_text()
LAB = "mlflow.lab.example"


@pytest.fixture(scope="module")
def recipe() -> Any:
    (text,) = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    return yaml.safe_load(text)


@pytest.fixture
def given(recipe: Any) -> dict[str, Any]:
    """What `seedbed server` reads out of the recipe's command."""
    program, verb, *words = recipe["services"]["server"]["command"]
    assert (program, verb) == ("seedbed", "server")
    return dict(server.make_context("server", words).params)


def test_each_option_of_the_server_in_it_exists(given: dict[str, Any]) -> None:
    assert (given["host"], given["names"]) == ("0.0.0.0", (LAB,))  # noqa: S104 (inside its container)


def test_nothing_but_the_proxy_is_reached_from_elsewhere(recipe: Any) -> None:
    published = {name: given.get("ports", []) for name, given in recipe["services"].items()}
    for name, ports in published.items():
        assert name == "proxy" or all(str(port).startswith(LOOPBACK) for port in ports)
    assert published["proxy"]
    assert not any("network_mode" in given for given in recipe["services"].values())


def test_the_proxy_hands_on_to_the_server_under_a_name_that_it_answers(
    recipe: Any, given: dict[str, Any]
) -> None:
    words = recipe["services"]["proxy"]["command"]
    options = dict(zip(words[2::2], words[3::2], strict=True))
    address = Address(given["host"], given["port"], given["names"])
    assert options["--to"] == f"server:{address.port}"
    assert options["--from"] in address.hosts().split(",")
    assert f"https://{options['--from']}" in address.origins().split(",")


def test_no_secret_stands_in_it_and_each_service_has_the_files_it_reads(
    recipe: Any, given: dict[str, Any]
) -> None:
    services = recipe["services"]
    assert all(set(secret) == {"file"} for secret in recipe["secrets"].values())
    told = services["postgres"]["environment"]
    assert {name for name in told if "PASSWORD" in name} == {"POSTGRES_PASSWORD_FILE"}
    assert not any(
        "environment" in services[name] or "env_file" in services[name] for name in ("server", "proxy")
    )
    read = {"postgres": told["POSTGRES_PASSWORD_FILE"], "server": given["file"]}
    for name, path in read.items():
        assert [f"/run/secrets/{secret}" for secret in services[name]["secrets"]] == [path]
        assert set(services[name]["secrets"]) <= set(recipe["secrets"])
    assert not any(name in str(recipe) for name in NAMES)


def test_what_must_outlive_a_container_lies_in_a_volume(recipe: Any, given: dict[str, Any]) -> None:
    volumes = {
        name: dict(map(reversed, (v.split(":") for v in s["volumes"])))
        for name, s in recipe["services"].items()
    }
    assert given["artifacts"] in volumes["server"]
    assert {volume for held in volumes.values() for volume in held.values()} == set(recipe["volumes"])


def test_the_image_holds_what_the_package_is_built_of(recipe: Any) -> None:
    build = recipe["services"]["server"]["build"]["dockerfile_inline"]
    copied = [word for line in re.findall(r"^COPY (.+) \S+$", build, re.MULTILINE) for word in line.split()]
    assert set(copied) == {"pyproject.toml", "README.md", "conf", "src"}
    assert all((ROOT / name).exists() for name in copied)


def test_the_page_says_that_it_was_not_run() -> None:
    assert "**This file has not been run with docker**" in PAGE


def test_the_page_names_the_credentials_as_they_are_called() -> None:
    (lines,) = re.findall(r"^# server\.env.*?\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    assert {line.partition("=")[0] for line in lines.splitlines()} <= set(NAMES)
