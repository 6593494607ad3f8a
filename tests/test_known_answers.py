"""Whole runs against optima that were computed independently, in float64 or with 50 digits."""

import csv
import os
from pathlib import Path

import pytest
import torch
from mlflow.artifacts import download_artifacts

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
