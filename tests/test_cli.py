"""The command line as users meet it: real processes, real signals, real exit codes."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

# A machine under load starts a process in tens of seconds; this bounds a hang, it times nothing.
TIMEOUT_SECONDS = 300
QUICK = (
    "trainer.max_epochs=1",
    "trainer.num_threads=1",
    "track.system_metrics=false",
    "track.log_model=false",
    "track.pictures=false",
)
ENDLESS = ("model=mlp", "trainer.max_epochs=1000000", "track.system_metrics=false")


def started(folder: Path, *arguments: str) -> "subprocess.Popen[str]":
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW")}
    return subprocess.Popen(
        [sys.executable, "-m", "seedbed", *arguments],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_until_it_trains(process: "subprocess.Popen[str]", folder: Path) -> None:
    """Returns when the first epoch is over."""
    for _ in range(TIMEOUT_SECONDS):
        if list(folder.glob("mlruns/runs/*/last.ckpt")):
            return
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=1)
            break
    process.kill()
    pytest.fail(f"no epoch ended: {process.communicate()}")


def seedbed(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    with started(folder, *arguments) as process:
        out, err = process.communicate(timeout=TIMEOUT_SECONDS)
    return subprocess.CompletedProcess(arguments, process.returncode, out, err)


def recorded(folder: Path, experiment: str = "seedbed") -> list[Run]:
    client = MlflowClient(f"sqlite:///{folder / 'mlruns' / 'mlflow.db'}")
    found = client.get_experiment_by_name(experiment)
    assert found is not None
    return list(client.search_runs([found.experiment_id], order_by=["attributes.start_time ASC"]))


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, "subprocess.CompletedProcess[str]"]:
    folder = tmp_path_factory.mktemp("study")
    sweep = ("model=softmax,logistic", "seed=range(0,2)", "evaluate_test=true")
    return folder, seedbed(folder, "train", "-m", *sweep, *QUICK)


def test_a_multirun_is_one_parent_with_its_jobs_as_children(
    study: tuple[Path, "subprocess.CompletedProcess[str]"],
) -> None:
    parent, *children = recorded(study[0])
    assert parent.data.params == {"model": "softmax,logistic", "seed": "0,1"}
    assert [child.data.tags["mlflow.parentRunId"] for child in children] == [parent.info.run_id] * 4
    assert [child.info.run_name for child in children] == [
        "softmax seed 0",
        "softmax seed 1",
        "logistic seed 0",
        "logistic seed 1",
    ]


def test_a_failing_job_is_recorded_named_and_the_rest_goes_on(
    study: tuple[Path, "subprocess.CompletedProcess[str]"],
) -> None:
    folder, done = study
    parent, *children = recorded(folder)
    assert [child.info.status for child in children] == ["FINISHED", "FINISHED", "FAILED", "FAILED"]
    assert parent.info.status == "FAILED"
    assert done.returncode == 1
    told = "logistic seed 0: ConfigError: model: expected two classes"
    assert f"study: expected 4 finished runs, got 2 failed ({told}" in done.stderr
    assert f"**Failed, and in no mean:**\n\n- {told}" in parent.data.tags["mlflow.note.content"]


def test_a_study_ends_with_its_table_and_the_next_command(
    study: tuple[Path, "subprocess.CompletedProcess[str]"],
) -> None:
    folder, done = study
    parent, *children = recorded(folder)
    mean = sum(child.data.metrics["test/accuracy"] for child in children[:2]) / 2
    assert f"{mean:.4f}" in done.stdout
    assert done.stdout.splitlines()[-1] == "Look at it: seedbed ui"
    assert f"| softmax | 2 | {mean:.4f} |" in parent.data.tags["mlflow.note.content"]
    assert parent.data.metrics["softmax/test/accuracy"] == pytest.approx(mean, rel=1e-12)  # one mean of two


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_a_signal_closes_the_run_as_killed(tmp_path: Path, number: int) -> None:
    with started(tmp_path, "train", *ENDLESS) as process:
        wait_until_it_trains(process, tmp_path)
        process.send_signal(number)
        _, err = process.communicate(timeout=TIMEOUT_SECONDS)
    assert process.returncode == 128 + number
    assert f"stopped by {signal.Signals(number).name}; the record says KILLED" in err
    (run,) = recorded(tmp_path)
    assert run.info.status == "KILLED"


def test_a_signal_ends_a_whole_study(tmp_path: Path) -> None:
    with started(tmp_path, "train", "-m", "seed=0,1", *ENDLESS) as process:
        wait_until_it_trains(process, tmp_path)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=TIMEOUT_SECONDS)
    assert process.returncode == 128 + signal.SIGINT
    assert err.endswith("stopped by SIGINT; the record says KILLED; the same command goes on from here\n")
    assert [run.info.status for run in recorded(tmp_path)] == ["KILLED", "KILLED"]


def test_an_error_is_one_paragraph_and_leaves_nothing_behind(tmp_path: Path) -> None:
    done = seedbed(tmp_path, "train", "seed=-1")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "seedbed: seed: expected 0 or more, got -1. Choose another integer.\n"
    assert not (tmp_path / "mlruns" / "mlflow.db").exists()


def test_a_value_that_is_missing_is_named_with_its_meaning(tmp_path: Path) -> None:
    done = seedbed(tmp_path, "train", "data=image_folder")
    told = "expected folder of class folders, or of `train` and `test` with class folders, got nothing"
    assert done.stderr == f"seedbed: data.root: {told}. Add data.root=VALUE.\n"


def test_what_is_written_to_no_terminal_has_no_progress_bar(
    study: tuple[Path, "subprocess.CompletedProcess[str]"],
) -> None:
    assert "\x1b" not in study[1].stdout + study[1].stderr
    assert "━━━━━━━━━━━━━━━━━━━━" not in study[1].stderr
