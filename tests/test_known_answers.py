"""Whole runs against optima that were computed independently, in float64 or with 50 digits."""

import csv
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from mlflow.artifacts import download_artifacts
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from seedbed.assembly import assemble
from seedbed.data.loader import Loader
from seedbed.data.module import DataModule
from seedbed.job import Job
from seedbed.train import Outcome, run
from tests.conftest import MakeJob

LBFGS = (
    "optimizer=lbfgs",
    "schedule=constant",
    "data.batch_size=null",
    "trainer.precision=64-true",
    "trainer.max_epochs=1",
    "trainer.num_threads=1",
    "track.log_model=false",
)
MNIST = os.environ.get("SEEDBED_DATA")  # read before the fixture that clears it
WHOLE = ("data.val_fraction=0", "data.test_fraction=0")


def artifact(job: Job, outcome: Outcome, path: str) -> Path:
    uri = f"sqlite:///{job.config['track']['root']}/mlflow.db"
    return Path(download_artifacts(run_id=outcome.run_id, artifact_path=path, tracking_uri=uri))


def fitted(job: Job, outcome: Outcome) -> tuple[torch.Tensor, torch.Tensor]:
    state = torch.load(artifact(job, outcome, "checkpoints/last.ckpt"), weights_only=True)["state_dict"]
    return state["network.linear.weight"], state["network.linear.bias"]


def test_coronary_disease_by_age_to_nine_digits_with_errors_and_intervals(make_job: MakeJob) -> None:
    job = make_job("data=chd", "model=logistic", *LBFGS)
    outcome = run(job)
    text = artifact(job, outcome, "fit/coefficients.csv").read_text()
    rows = list(csv.DictReader(text.splitlines()))
    intercept, age = (
        {name: float(value) for name, value in row.items() if value and name != "name"} for row in rows
    )
    known = pytest.approx
    assert intercept["estimate"] == known(-6.70846142854752, rel=1e-9)
    assert age["estimate"] == known(0.131502027083233, rel=1e-9)
    assert intercept["standard_error"] == known(2.35399217835602, rel=1e-8)
    assert age["standard_error"] == known(0.0463387201184558, rel=1e-8)
    assert age["odds_ratio"] == known(1.14054021968998, rel=1e-9)
    assert (age["odds_ratio_wald_low"], age["odds_ratio_wald_high"]) == known(
        (1.041518563, 1.248976292), rel=1e-8
    )
    assert (age["odds_ratio_profile_low"], age["odds_ratio_profile_high"]) == known(
        (1.058826077, 1.279876195), rel=1e-8
    )
    assert outcome.metrics["fit/log_likelihood"] == known(-14.3357541297932, rel=1e-12)
    assert outcome.metrics["fit/null_log_likelihood"] == known(-22.493606309618, rel=1e-12)
    assert outcome.metrics["fit/even_odds_value"] == known(51.0141294194762, rel=1e-9)
    assert outcome.metrics["train/accuracy"] == known(25 / 33, rel=1e-12)
    assert artifact(job, outcome, "fit/separability.txt").read_text().startswith("overlapping")


def test_coronary_disease_by_gradient_steps_on_standardised_age(make_job: MakeJob) -> None:
    # The largest curvature of the mean loss is below (1 + 1) / 4, so this step never overshoots.
    steps = ("optimizer=sgd", "optimizer.momentum=0", "optimizer.lr=4", "trainer.max_epochs=100")
    job = make_job("data=chd", "model=logistic", *LBFGS, *steps)
    weight, bias = fitted(job, run(job))
    assert bias.item() == pytest.approx(-0.507941606, rel=1e-6)
    assert weight.item() == pytest.approx(2.051094720, rel=1e-6)


def test_breast_cancer_at_c_1(make_job: MakeJob) -> None:
    job = make_job("data=breast_cancer", "model=logistic", *WHOLE, *LBFGS, f"objective.l2={1 / 569}")
    outcome = run(job)
    weight, bias = fitted(job, outcome)
    assert outcome.metrics["train/objective"] * 569 == pytest.approx(37.758945962, rel=1e-8)
    assert outcome.metrics["train/loss"] * 569 == pytest.approx(30.379966919, rel=1e-8)
    assert weight.norm().item() == pytest.approx(3.841608789, rel=1e-8)
    assert bias.item() == pytest.approx(0.214502717, rel=1e-8)
    assert (1 - outcome.metrics["train/accuracy"]) * 569 == pytest.approx(7, rel=1e-9)


def test_digits_at_c_1(make_job: MakeJob) -> None:
    job = make_job(
        "data=digits", "model=softmax", *WHOLE, *LBFGS, f"objective.l2={1 / 1797}", "optimizer.max_iter=300"
    )
    outcome = run(job)
    assert outcome.metrics["train/objective"] == pytest.approx(0.19952640, rel=1e-7)
    # The loss alone is not stationary at the optimum: it has as many digits as the gradient is small.
    assert outcome.metrics["train/loss"] == pytest.approx(0.10643273, rel=1e-4)


FOLDS = (
    "data=breast_cancer",
    "model=logistic",
    "data.test_fraction=0",
    "data.num_folds=10",
    "evaluate_test=true",
    *LBFGS,
)
Places = NDArray[np.int64]


def held_out_by_scikit_learn(train: Places, held_out: Places, c: float) -> tuple[float, float]:
    """Loss and accuracy of scikit-learn's own fit to the same examples."""
    inputs, labels = load_breast_cancer(return_X_y=True)
    fit = LogisticRegression(C=c, solver="newton-cholesky", tol=1e-12, max_iter=1000)
    model = make_pipeline(StandardScaler(), fit).fit(inputs[train], labels[train])
    loss = log_loss(labels[held_out], model.predict_proba(inputs[held_out]))
    return loss, accuracy_score(labels[held_out], model.predict(inputs[held_out]))


@pytest.mark.slow
def test_ten_folds_of_breast_cancer_one_by_one(make_job: MakeJob) -> None:
    folds = []
    for fold in range(10):
        settings = (f"data.fold={fold}", "data.val_fraction=0", f"objective.l2={1 / 512}")
        job = make_job(*FOLDS, *settings)
        outcome = run(job)
        folds.append(np.load(artifact(job, outcome, "test/predictions.npz"))["indices"])
        train = np.setdiff1d(np.arange(569), folds[-1])
        expected = held_out_by_scikit_learn(train, folds[-1], c=512 / len(train))
        found = (outcome.metrics["test/loss"], outcome.metrics["test/accuracy"])
        assert found == pytest.approx(expected, rel=1e-6)
    assert sorted(np.concatenate(folds)) == list(range(569))


@pytest.mark.parametrize("inner_fold", [0, 4])
def test_inner_folds_of_a_fold_of_breast_cancer(make_job: MakeJob, inner_fold: int) -> None:
    inner = (f"data.inner_fold={inner_fold}", "data.num_inner_folds=5")
    job = make_job(*FOLDS, "data.fold=3", *inner, "objective.l2=0.01")
    data = assemble(job.config).data
    train, val = (np.concatenate([batch.indices for batch in loader]) for loader in _seen(data))
    expected = held_out_by_scikit_learn(train, val, c=1 / (0.01 * len(train)))
    metrics = run(job).metrics
    assert (metrics["best_val/loss"], metrics["best_val/accuracy"]) == pytest.approx(expected, rel=1e-6)


def _seen(data: DataModule) -> tuple[Loader, Loader]:
    val = data.val_dataloader()
    assert val is not None
    return data.train_dataloader(), val


@pytest.mark.slow
@pytest.mark.skipif(MNIST is None, reason="needs MNIST: set SEEDBED_DATA to the folder that holds it")
def test_mnist_softmax_at_its_optimum(make_job: MakeJob) -> None:
    settings = ("objective.l2=1e-4", "data.val_fraction=0", "evaluate_test=true", "optimizer.max_iter=400")
    outcome = run(make_job("data=mnist", f"data.root={MNIST}", "model=softmax", *LBFGS, *settings))
    assert outcome.metrics["train/objective"] == pytest.approx(0.2592482950, rel=1e-8)
    assert round((1 - outcome.metrics["test/accuracy"]) * 10_000) == 737
    known = {"test/loss": 0.26311, "test/calibration_error": 0.015025, "test/brier_loss": 0.112415}
    for name, value in known.items():
        assert outcome.metrics[name] == pytest.approx(value, rel=1e-4)  # as many digits as are published
