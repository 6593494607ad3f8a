"""Click-through rates end to end: a run comes near the least loss there is, and its record says how near."""

import csv
import json
from typing import Any

import numpy as np
import pytest
import torch

from seedbed.assembly import assemble
from seedbed.data.clicks import GeneratedClicks
from seedbed.data.population import bayes_loss, loss_of
from seedbed.errors import ConfigError
from seedbed.job import Job
from seedbed.optim.ftrl import Ftrl
from seedbed.train import Outcome, run
from tests.conftest import MakeJob, jobs_in
from tests.test_train import artifact

CLICKS = (
    "data=clicks",
    "model=hashed_logistic",
    "model.sparse_gradient=true",
    "optimizer=ftrl",
    "schedule=constant",
    "trainer.max_epochs=1",
    "trainer.num_threads=1",
    "evaluate_test=true",
)
# Rows of one network in another grouping, in float32.
ROUNDING = 1e-5

Grown = tuple[Job, Outcome]


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Grown:
    """One pass over the embedded population."""
    with jobs_in(tmp_path_factory.mktemp("clicks")) as make:
        job = make(*CLICKS)
    return job, run(job)


def truth(job: Job) -> tuple[Any, Any]:
    """True probabilities and clicks of the test split."""
    data = assemble(job.config).data
    assert isinstance(data, GeneratedClicks)
    num_rows = job.config["data"]["num_rows"]
    rows = data.population.rows(num_rows - round(0.1 * num_rows), num_rows)
    return rows.probabilities, rows.clicks


def test_one_pass_comes_within_one_percent_of_the_bayes_loss(grown: Grown) -> None:
    job, outcome = grown
    least = loss_of(*truth(job))
    assert 1 < outcome.metrics["test/loss"] / least < 1.01
    assert least == pytest.approx(bayes_loss(truth(job)[0]), abs=0.01)
    assert outcome.metrics["test/normalised_loss"] < 0.9


def test_the_training_loss_of_the_first_epoch_is_progressive(grown: Grown) -> None:
    job, outcome = grown
    assembly = assemble(job.config)
    network, pull = assembly.classifier.network, {"lr": 0.2, "beta": 0.001, "l1": 0.0, "l2": 0.0}
    optimizer = Ftrl(network.parameters(), **pull)
    before = []
    for batch in assembly.data.train_dataloader():
        optimizer.zero_grad()
        losses = network.likelihood.nll(network(batch.inputs), batch.labels)
        losses.mean().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        before.append(losses.detach())
    assert outcome.metrics["train/loss"] == pytest.approx(
        float(torch.cat(before).double().mean()), rel=ROUNDING
    )


def test_the_record_has_the_areas_interval_and_calibration_by_parts(grown: Grown) -> None:
    job, outcome = grown
    area = json.loads(artifact(job, outcome, "test/auroc.json").read_text())
    assert area["auroc_score"] == pytest.approx(outcome.metrics["test/auroc_score"], rel=ROUNDING)
    assert area["low"] < area["auroc_score"] < area["high"]
    with artifact(job, outcome, "test/calibration.csv").open() as file:
        whole, *parts = list(csv.DictReader(file))
    assert len(parts) == 10
    probabilities, clicks = truth(job)
    assert float(whole["ratio"]) == pytest.approx(probabilities.sum() / clicks.sum(), rel=0.05)
    assert float(whole["ratio_low"]) < float(whole["ratio"]) < float(whole["ratio_high"])
    shares = [float(part["observed_share"]) for part in parts]
    assert shares[-1] > 10 * shares[0]


def test_thinned_negatives_are_corrected_for(make_job: MakeJob) -> None:
    job = make_job(*CLICKS, "data.negative_fraction=0.2", "track.log_model=false")
    outcome = run(job)
    with artifact(job, outcome, "test/calibration.csv").open() as file:
        whole = next(csv.DictReader(file))
    probabilities, clicks = truth(job)
    # Without the correction it would be about 3.5 times as much.
    assert float(whole["ratio"]) == pytest.approx(probabilities.sum() / clicks.sum(), rel=0.05)
    assert outcome.metrics["test/loss"] / loss_of(probabilities, clicks) < 1.02
    assert outcome.metrics["train/loss"] > outcome.metrics["test/loss"]  # of rows that are harder to tell


def test_l1_leaves_exact_zeros(make_job: MakeJob) -> None:
    job = make_job(*CLICKS, "data.num_rows=20000", "optimizer.l1=0.02", "track.log_model=false")
    path = artifact(job, run(job), "checkpoints/last.ckpt")
    weight = torch.load(path, weights_only=True)["state_dict"]["network.slots.weight"]
    assert 20 < int(weight.count_nonzero()) < 300  # of 400 categories
    assert np.isfinite(weight.numpy()).all()


@pytest.mark.parametrize(
    "optimizer", [("optimizer=sgd", "optimizer.momentum=0"), ("optimizer=adagrad",), ("optimizer=adamw",)]
)
def test_other_optimisers_learn_from_codes_too(make_job: MakeJob, optimizer: tuple[str, ...]) -> None:
    sparse = f"model.sparse_gradient={str('adamw' not in optimizer[0]).lower()}"
    changes = ("data.num_rows=20000", "optimizer.lr=0.2", "model.num_slots=4096", "track.log_model=false")
    outcome = run(make_job(*CLICKS, *optimizer, sparse, *changes))
    assert outcome.metrics["test/normalised_loss"] < 0.99


def test_codes_and_numbers_are_not_mixed_up(make_job: MakeJob) -> None:
    with pytest.raises(ConfigError) as caught:
        assemble(make_job("data=clicks", "data.num_rows=1000", "model=logistic").config)
    assert str(caught.value) == (
        "model: expected data of numbers, which Logistic takes, got population of clicks 0, which gives "
        "codes of categories. Choose model=hashed_logistic for data=clicks, criteo or avazu, and only for "
        "these."
    )
    with pytest.raises(ConfigError, match="expected data of codes of categories, which HashedLogistic takes"):
        assemble(make_job("data=breast_cancer", "model=hashed_logistic").config)
