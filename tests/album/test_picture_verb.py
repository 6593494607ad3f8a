"""Pictures as users meet them: after a training, by the verb, of a study; and none of them costs a run."""

import os
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from seedbed.album.album import FAILED, FOLDER
from seedbed.album.makers import MAKERS
from seedbed.cli.command import cli
from seedbed.cli.picturing import after_training
from seedbed.errors import SeedbedError
from seedbed.reproduce.check import Subject
from seedbed.track.record import Record
from seedbed.track.store import Store
from seedbed.verdict.find import find, opened
from seedbed.verdict.members import Member

SHORT = ("model=softmax", "trainer.max_epochs=1", "trainer.num_threads=1", "track.system_metrics=false")
MADE = ["run_curves", "confusion", "reliability", "per_class", "gallery", "templates"]


def failing(_: Subject) -> Any:
    raise RuntimeError("planted,\nover two lines")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pictures")


@pytest.fixture(autouse=True)
def _there(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)
    monkeypatch.setattr(sys, "argv", ["seedbed"])
    for name in ("HYDRA_FULL_ERROR", "OMP_WAIT_POLICY"):  # the command sets them; undone with the test
        monkeypatch.setenv(name, os.environ.get(name, "1" if name.startswith("HYDRA") else "PASSIVE"))


@pytest.fixture(scope="module")
def trained(place: Path) -> Result:
    """What `seedbed train` said where one picture failed."""
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(place)
        patched.setattr(sys, "argv", ["seedbed"])
        patched.setenv("HYDRA_FULL_ERROR", "1")
        patched.setenv("OMP_WAIT_POLICY", "PASSIVE")
        patched.setitem(MAKERS, "reliability", failing)
        return typed("train", *SHORT)


def typed(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments), prog_name="seedbed", catch_exceptions=False)


def latest() -> Member:
    return find(opened(Path("mlruns")), "last")


def kept() -> set[str]:
    store = opened(Path("mlruns"))
    return {entry.path for entry in store.client.list_artifacts(latest().run_id, FOLDER)}


def named(names: list[str]) -> set[str]:
    return {f"{FOLDER}/{name}.{ending}" for name in names for ending in ("svg", "csv")}


def test_a_picture_that_fails_is_told_and_the_run_is_finished(trained: Result) -> None:
    run = latest()
    why = "RuntimeError: planted, over two lines"
    assert trained.exit_code == 0
    again = f"Again: seedbed picture {run.run_id}"
    assert trained.stderr.splitlines() == [f"The picture reliability is left out: {why} {again}"]
    assert run.status == "FINISHED"
    assert run.tags[FAILED] == f"reliability: {why}"
    assert kept() == named([name for name in MADE if name != "reliability"])
    assert typed("verify", "last").exit_code == 0
    assert trained.stdout.splitlines()[-1].startswith(f"Run {run.run_id} is on record.")


def test_the_verb_makes_what_failed_and_the_record_verifies(trained: Result, tmp_path: Path) -> None:
    done = typed("picture", "last", "reliability", "plane", "--out", str(tmp_path / "new" / "out"))
    assert done.exit_code == 0, done.output
    assert done.output.splitlines() == [
        "softmax digits 0 has nothing for: plane",
        f"softmax digits 0, in {tmp_path / 'new' / 'out'}: reliability",
    ]
    assert {path.name for path in (tmp_path / "new" / "out").iterdir()} == {
        "reliability.svg",
        "reliability.csv",
    }
    assert FAILED not in latest().tags
    assert kept() == named(MADE)
    looked = typed("verify", "last")
    assert looked.exit_code == 0, looked.output
    assert "Nothing is wrong." in looked.output


def test_all_are_made_again_from_the_record_alone(trained: Result, tmp_path: Path) -> None:
    done = typed("picture", latest().name, "--out", str(tmp_path))
    assert done.exit_code == 0
    assert {path.stem for path in tmp_path.iterdir()} == set(MADE)
    assert done.output.splitlines()[-1].endswith(
        "when they are named: gradcam, integrated_gradients, occlusion, embedding_umap"
    )
    (folder,) = Path("mlruns").glob(f"artifacts/*/{latest().run_id}/artifacts/{FOLDER}")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        path.name: path.read_bytes() for path in folder.iterdir()
    }


def test_a_picture_asked_for_by_name_that_fails_is_an_exit_code(
    trained: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(MAKERS, "gallery", failing)
    assert typed("picture", "last", "--out", str(tmp_path / "all")).exit_code == 0
    done = typed("picture", "last", "gallery", "--out", str(tmp_path))
    assert done.exit_code == 1
    assert "The picture gallery is left out: RuntimeError: planted" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ("last", "confusoin"),
            r"picture of a run: expected one of run_curves, .*, plane, .*, got 'confusoin'\. Choose some"
            r" of them, or name none\.",
        ),
        (("last", "distribution"), r"picture of a run: expected one of .*, got 'distribution'"),
        (("last", "--runs"), r"--runs: expected a study, got the run softmax digits 0"),
        (("nobody",), r"run 'nobody': expected the id"),
        (
            ("last", "--out", "/dev/null/x"),
            r"--out /dev/null/x: expected a folder to write in, got Not a directory",
        ),
    ],
    ids=str,
)
def test_what_cannot_be_drawn_is_refused(trained: Result, arguments: tuple[str, ...], told: str) -> None:
    with pytest.raises(SeedbedError, match=told):
        typed("picture", *arguments)


def test_a_run_that_is_still_running_keeps_its_record(
    trained: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from seedbed.cli import picturing

    def forbidden(*_: Any) -> None:
        raise AssertionError

    monkeypatch.setattr("seedbed.album.album.keep", forbidden)
    running = latest()._replace(status="RUNNING")
    picturing._of(opened(Path("mlruns")), running, ["confusion"], tmp_path)
    assert (tmp_path / "confusion.svg").exists()


def test_pictures_can_be_left_out(place: Path, trained: Result) -> None:
    after_training({"pictures": False}, "no run at all")


def test_a_store_that_is_away_is_told_with_the_command_for_later(
    trained: Result, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Record, "waits", True)
    run = latest()
    after_training({"pictures": True, "root": "mlruns", "offline": False}, run.run_id)
    told = capsys.readouterr().err
    assert "the record store lacks a part of it still." in told
    assert f"Again: seedbed picture {run.run_id}" in told


def test_whatever_else_goes_wrong_is_told_too(
    trained: Result, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise OSError("no room")

    monkeypatch.setattr(Store, "open", broken)
    after_training({"pictures": True, "root": "mlruns", "offline": False}, "abc")
    assert capsys.readouterr().err == (
        "The run's pictures are not made (OSError: no room). Again: seedbed picture abc\n"
    )


def test_a_study_has_its_own_pictures_and_with_runs_those_of_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert typed("train", "-m", *SHORT, "track.pictures=false", "seed=0,1").exit_code == 0
    monkeypatch.setitem(MAKERS, "gallery", failing)
    done = typed("picture", "last", "--runs", "--out", "out")
    assert done.exit_code == 0, done.output
    assert "The picture gallery is left out: RuntimeError: planted, over two lines" in done.stderr
    drawn = {path.stem for path in Path("out").glob("*.svg")}
    assert {"distribution", "learning_curves"} <= drawn
    folders = sorted(path for path in Path("out").iterdir() if path.is_dir())
    assert [path.name.rpartition("-")[0] for path in folders] == ["seed_0", "seed_1"]
    assert {path.stem for path in folders[0].iterdir()} == set(MADE) - {"gallery"}
    looked = typed("verify", "last")
    assert looked.exit_code == 0, looked.output
    written = typed("report", "last", "--out", "page")
    assert written.exit_code == 0
    page = Path("page/report.md").read_text()
    assert "## Inside the best setting" in page
    assert "![Confusion matrix](figures/confusion.svg)" in page
    assert "The figure gallery is left out: RuntimeError: planted" in page
    assert {"confusion.csv", "confusion.svg"} <= {path.name for path in Path("page/figures").iterdir()}
