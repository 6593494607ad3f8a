"""`seedbed compare` as it is typed, on runs of this program and of another."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from seedbed.cli.command import cli
from seedbed.errors import StoreError
from seedbed.track.store import Store


def record(store: Store, name: str, metrics: dict[str, float], parent: str = "", **params: str) -> str:
    """A finished run; one with a parent is a run of this program's study."""
    tags = (
        {"mlflow.parentRunId": parent, "seedbed.kind": "run", "seedbed.setting": params["model"]}
        if parent
        else {}
    )
    run_id: str = store.client.create_run(store.experiment("compare"), run_name=name, tags=tags).info.run_id
    for key, value in params.items():
        store.client.log_param(run_id, key, value)
    for key, number in metrics.items():
        store.client.log_metric(run_id, key, number)
    store.client.set_terminated(run_id)
    return run_id


def predict(store: Store, run_id: str, folder: Path, right: int) -> None:
    """Predictions of 40 examples of class 1, the first so many right."""
    logits = np.array([[0.0, 1.0 if place < right else -1.0] for place in range(40)])
    np.savez(
        folder / "predictions.npz", logits=logits, labels=np.ones(40, dtype=np.int64), indices=np.arange(40)
    )
    store.client.log_artifact(run_id, str(folder / "predictions.npz"), "test")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of two models with four seeds each, and six runs of another program."""
    folder = tmp_path_factory.mktemp("answer")
    store = Store.open(folder / "mlruns", f"sqlite:///{folder / 'mlruns' / 'mlflow.db'}")
    tags = {"seedbed.kind": "study", "seedbed.command": "seedbed train -m model=mlp,cnn 'seed=range(0,4)'"}
    study = store.client.create_run(store.experiment("compare"), run_name="a study", tags=tags).info.run_id
    for seed in range(4):
        for model, value in (("mlp", 0.9), ("cnn", 0.95 + 0.002 * seed)):
            metrics = {"test/accuracy": value + 0.01 * seed, "test/loss": 1 - value}
            run_id = record(store, f"{model} seed {seed}", metrics, study, model=model, seed=str(seed))
            if seed < 2:
                predict(store, run_id, folder, right=30 if model == "mlp" else 38)
    for seed in range(3):
        for lr in (0.1, 0.2):
            record(
                store,
                f"lr {lr} {seed}",
                {"val_acc": lr + 0.01 * seed**lr},
                lr=str(lr),
                random_state=str(seed),
            )
    return folder / "mlruns"


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")


def compare(root: Path, *arguments: str) -> str:
    done: Any = CliRunner().invoke(cli, ["compare", *arguments, "--root", str(root)], catch_exceptions=False)
    assert done.exit_code == 0
    return str(done.output)


def refused(root: Path, *arguments: str) -> str:
    with pytest.raises(StoreError) as caught:
        compare(root, *arguments)
    return str(caught.value)


def test_a_study_is_answered_with_words_numbers_and_what_to_type_next(root: Path) -> None:
    told = compare(root, "a study")
    assert (
        "cnn beats mlp by 5.3 points [4.9, 5.7], n = 4 pairs, p < 0.001; exact sign-flip 0.125, the smallest"
        in told
    )
    assert "│ cnn   │ 4 │ 0.9680 " in told
    *_, report, again = told.splitlines()
    assert report.startswith("Figures, table and page: seedbed report ")
    assert again == "It was: seedbed train -m model=mlp,cnn 'seed=range(0,4)'"


def test_another_metric_has_its_own_unit_and_direction(root: Path) -> None:
    assert "cnn beats mlp by 0.053 nats [0.049, 0.057]" in compare(root, "a study", "--metric", "test/loss")


def test_a_margin_asks_for_equivalence(root: Path) -> None:
    assert "equivalent within 10 points" in compare(root, "a study", "--margin", "10")


def test_two_single_runs_are_compared_by_their_predictions(root: Path) -> None:
    told = compare(root, "cnn seed 0", "mlp seed 0")
    assert told.startswith(
        "cnn seed 0 beats mlp seed 0 by 20.00 points [5.22, 20.00], n = 40 test examples, exact McNemar p "
        "= 0.0078; "
        "8 only cnn seed 0 has right, 0 only mlp seed 0.\nThis is a verdict on two fitted models"
    )


def test_two_single_runs_take_no_option_of_a_study(root: Path) -> None:
    assert refused(root, "cnn seed 0", "mlp seed 0", "--metric", "test/loss") == (
        "--metric: expected a study or several runs a setting, got two single runs, which are compared by "
        "their "
        "predictions. Leave --metric out."
    )


def test_three_single_runs_are_compared_as_settings(root: Path) -> None:
    told = compare(root, "cnn seed 0", "cnn seed 1", "mlp seed 0")
    assert "The settings have unequal numbers of runs: cnn 2, mlp 1." in told


def test_runs_of_another_program_are_compared_by_a_filter(root: Path) -> None:
    told = compare(root, "--runs", "metrics.val_acc > 0", "--metric", "val_acc")
    assert "lr 0.2 is higher than lr 0.1 by 0.1" in told
    assert "n = 3 pairs" in told


def test_foreign_runs_without_the_usual_metrics_are_refused_with_those_they_have(root: Path) -> None:
    assert refused(root, "--runs", "metrics.val_acc > 0") == (
        "metric best_val/accuracy: expected one of val_acc, got a name that no finished run has. Add "
        "--metric NAME."
    )


def test_one_single_run_and_nothing_at_all_are_refused(root: Path) -> None:
    expected = "compare: expected a study, two runs, or --runs FILTER, got "
    do = "Name a study, or a second run. `last` is what was started last."
    assert refused(root, "mlp seed 0") == f"{expected}one single run, mlp seed 0. {do}"
    assert refused(root, "mlp seed 0", "mlp seed 0") == f"{expected}one single run, mlp seed 0. {do}"
    assert refused(root) == f"{expected}nothing. {do}"


def test_a_run_that_is_named_and_found_counts_once(root: Path) -> None:
    told = compare(root, "a study", "--runs", "params.model = 'cnn'", "--by", "model")
    assert "│ cnn   │ 4 │" in told


def test_the_verb_has_a_help() -> None:
    assert (
        "Tell which settings of a STUDY are better" in CliRunner().invoke(cli, ["compare", "--help"]).output
    )


def test_an_answer_takes_no_torch(root: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from seedbed.verdict.find import opened; "
        "from seedbed.verdict.answer import answer; "
        f"answer(opened(Path({str(root)!r})), ['a study']); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
