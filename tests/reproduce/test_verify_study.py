"""A study's record: each of its runs is looked at, and its tables against them."""

import sys
from pathlib import Path

import pytest

from seedbed.cli.command import cli
from seedbed.reproduce.verify import verify
from seedbed.verdict.find import find, opened
from tests.reproduce.recorded import Recorded

ARGUMENTS = (
    "model=softmax,mlp",
    "study.num_seeds=2",
    "trainer.max_epochs=1",
    "trainer.num_threads=1",
    "track.system_metrics=false",
    "track.log_model=false",
    "track.pictures=false",
)


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    root = tmp_path_factory.mktemp("study")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sys, "argv", ["seedbed"])
        patched.setenv("HYDRA_FULL_ERROR", "1")
        patched.setenv("OMP_WAIT_POLICY", "PASSIVE")
        patched.chdir(root)
        cli.main(["train", "-m", *ARGUMENTS], prog_name="seedbed", standalone_mode=False)
    return Recorded(root / "mlruns", find(opened(root / "mlruns"), "last").run_id)


@pytest.fixture
def study(pristine: Recorded, tmp_path: Path) -> Recorded:
    return pristine.copied(tmp_path / "mlruns")


def test_each_run_and_the_table_are_looked_at(study: Recorded) -> None:
    looked = list(verify(study.store, find(study.store, study.run_id)))
    names = [name for name, _, _ in looked]
    assert names == ["softmax s0", "softmax s1", "mlp s0", "mlp s1", "model (grid)"]
    assert {check.state for _, _, checks in looked for check in checks} == {"ok", "skipped"}
    tables = looked[-1].checks[-1]
    assert tables.line() == "ok      tables: summary.csv as the 4 runs give them"


def test_a_table_that_the_runs_do_not_give_is_caught(study: Recorded) -> None:
    for table in ("metrics", "latest_metrics"):
        changed = f"UPDATE {table} SET value = 0.99 WHERE key = 'best_val/accuracy'"  # noqa: S608
        assert study.execute(changed) >= 4
    told = study.wrong()["tables"]
    assert told == "summary.csv: expected what the runs on record give, got another table"


def test_a_run_that_is_gone_is_missed_in_the_table(study: Recorded) -> None:
    assert study.execute(
        "DELETE FROM tags WHERE key = 'mlflow.parentRunId' AND run_uuid = "
        "(SELECT run_uuid FROM runs WHERE name = 'mlp s1')"
    )
    assert set(study.wrong()) == {"tables"}


def test_a_report_joins_the_manifest_and_hides_no_change(
    study: Recorded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from click.testing import CliRunner

    summary = study.artifact("summary.csv")
    summary.write_text(summary.read_text() + "\n")
    asked = ["report", study.run_id, "--out", str(tmp_path / "report"), "--root", str(study.root)]
    assert CliRunner().invoke(cli, asked).exit_code == 0
    told = study.checks()["artifacts"]
    assert told.state == "wrong"
    assert told.told.startswith("summary.csv: expected ")
    assert "report" not in told.told
