"""The README says what is true: its tables, commands, links and tree."""

import re
import shlex
from pathlib import Path

import pytest

from seedbed.metric import glossary
from tests.conftest import MakeJob

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
RANGE = r"=(?:tag\(log,)?(?:range|interval)\(([\d.]+),.*\)$"
COMMANDS = re.findall(r"^seedbed train (?!--help)(.+?)(?:\s{2,}#.*)?$", README, re.MULTILINE)


def test_the_metric_table_is_the_generated_one() -> None:
    assert glossary.markdown().strip() in (ROOT / "src/seedbed/metric/README.md").read_text()


def test_there_are_at_most_150_lines() -> None:
    assert len(README.splitlines()) <= 150


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)]+)\)", README))
def test_every_link_leads_somewhere(link: str) -> None:
    assert link.startswith("https://") or (ROOT / link).exists()


@pytest.mark.parametrize("command", COMMANDS)
def test_every_train_command_composes(make_job: MakeJob, command: str) -> None:
    words = [word for word in shlex.split(command) if word not in ("-m", "--cfg", "job")]
    firsts = [re.sub(RANGE, r"=\1", word).split(",")[0] for word in words]
    make_job(*firsts)


def test_commands_were_found() -> None:
    assert len(COMMANDS) >= 4


def test_the_tree_matches_the_disk() -> None:
    tree = re.search(r"```\npyproject.*?```", README, re.DOTALL)
    assert tree
    names = re.findall(r"^ *(\S+(?: \S+)*)", tree[0], re.MULTILINE)  # up to the first two spaces
    shown = {word for line in names for word in line.split() if re.fullmatch(r"\w+(\.py|/)", word)}
    rooms = {
        f"{path.name}/" for path in (ROOT / "src" / "seedbed").iterdir() if (path / "__init__.py").exists()
    }
    files = {path.name for path in (ROOT / "src" / "seedbed").glob("*.py") if not path.name.startswith("__")}
    assert rooms | files <= shown
    top = {
        "pyproject.toml",
        "README.md",
        "conf",
        "src",
        "tests",
        "experiments",
        "mlruns",
        "Makefile",
        "requirements.lock",
    }
    visible = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}
    assert visible <= top
