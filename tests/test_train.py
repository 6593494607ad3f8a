"""One run, end to end on real digits: what the record holds afterwards, read back from MLflow."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mlflow import MlflowClient
from mlflow.artifacts import download_artifacts
from sklearn.datasets import load_digits

from seedbed.errors import ConfigError, DataError, StoreError, TrainingError
from seedbed.job import Job
from seedbed.predictor import Predictor
from seedbed.train import Outcome, run
from tests.conftest import MakeJob, jobs_in

SHORT = ("trainer.max_epochs=2", "trainer.num_threads=1")
FAMILIES = ("softmax", "mlp", "cnn")


def client_of(job: Job) -> MlflowClient:
    return MlflowClient(f"sqlite:///{job.config['track']['root']}/mlflow.db")


def artifact(job: Job, outcome: Outcome, path: str) -> Path:
    uri = client_of(job).tracking_uri
    return Path(download_artifacts(run_id=outcome.run_id, artifact_path=path, tracking_uri=uri))


def weights(job: Job, outcome: Outcome, name: str = "last") -> Mapping[str, torch.Tensor]:
    checkpoint = torch.load(artifact(job, outcome, f"checkpoints/{name}.ckpt"), weights_only=True)
    state: dict[str, torch.Tensor] = checkpoint["state_dict"]
    return {key: value for key, value in state.items() if key.startswith("network.")}


def same(one: Mapping[str, torch.Tensor], other: Mapping[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


def failed(job: Job) -> Any:
    (experiment,) = [found for found in client_of(job).search_experiments() if found.name == "seedbed"]
    (found,) = client_of(job).search_runs([experiment.experiment_id])
    return found


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> tuple[Job, Outcome]:
    """One finished run that several tests only look at."""
    with jobs_in(tmp_path_factory.mktemp("grown")) as make:
        job = make("model=softmax", "evaluate_test=true", "optimizer.lr=0.02", *SHORT)
    return job, run(job)


def test_a_finished_run_is_whole_on_record(grown: tuple[Job, Outcome]) -> None:
    job, outcome = grown
    found = client_of(job).get_run(outcome.run_id)
    assert found.info.status == "FINISHED"
    assert found.data.params == {
        "model": "softmax",
        "data": "digits",
        "optimizer": "adamw",
        "schedule": "one_cycle",
        "trainer": "single",
        "seed": "0",
        "optimizer.lr": "0.02",
        "evaluate_test": "true",
        "trainer.max_epochs": "2",
    }
    for name in ("test/loss", "test/accuracy", "test/brier_loss", "best_val/loss", "fit/cpu_seconds"):
        assert found.data.metrics[name] == outcome.metrics[name]
    for tag in ("seedbed.signature", "seedbed.setting", "seedbed.command", "mlflow.user", "seedbed.cpu"):
        assert found.data.tags[tag]
    assert found.inputs is not None
    splits = found.inputs.dataset_inputs
    assert all(split.dataset.digest for split in splits)
    assert [split.tags[0].value for split in splits] == ["train", "val", "test"]


EPOCH_METRICS = ["train/loss", "train/objective", "val/loss", "val/accuracy", "val/auroc_score"]


@pytest.mark.parametrize("metric", EPOCH_METRICS)
def test_every_epoch_of_every_metric_is_on_record_once(grown: tuple[Job, Outcome], metric: str) -> None:
    job, outcome = grown
    assert [point.step for point in client_of(job).get_metric_history(outcome.run_id, metric)] == [1, 2]


def test_the_config_of_the_record_makes_the_same_job(grown: tuple[Job, Outcome]) -> None:
    job, outcome = grown
    assert Job.load(artifact(job, outcome, "job.json")) == job


def test_the_stored_predictions_have_the_stored_accuracy(grown: tuple[Job, Outcome]) -> None:
    job, outcome = grown
    stored = np.load(artifact(job, outcome, "test/predictions.npz"))
    right = stored["logits"].argmax(1) == stored["labels"]
    assert right.mean() == pytest.approx(outcome.metrics["test/accuracy"], rel=1e-12)  # one division each
    confusion = artifact(job, outcome, "test/confusion.csv").read_text().splitlines()
    counts = np.array([line.split(",")[1:] for line in confusion[1:]], dtype=int)
    assert counts.sum() == len(stored["labels"])
    assert counts.trace() == right.sum()


def test_the_test_split_stays_unread_unless_asked_for(make_job: MakeJob) -> None:
    job = make_job(*SHORT)
    outcome = run(job)
    assert not [name for name in outcome.metrics if name.startswith("test/")]
    assert "test" not in [found.path for found in client_of(job).list_artifacts(outcome.run_id)]


def test_the_best_checkpoint_is_the_epoch_with_the_lowest_validation_loss(make_job: MakeJob) -> None:
    job = make_job("optimizer=sgd", "optimizer.lr=3.0", "schedule=constant", "trainer.max_epochs=6")
    outcome = run(job)
    history = client_of(job).get_metric_history(outcome.run_id, "val/loss")
    best = min(history, key=lambda point: point.value)
    assert outcome.metrics["best_val/epoch"] == best.step
    assert outcome.metrics["best_val/loss"] == best.value
    assert same(weights(job, outcome, "best"), weights(job, outcome, "last")) == (best.step == 6)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_same_job_gives_the_same_bits_twice(make_job: MakeJob, family: str) -> None:
    job = make_job(f"model={family}", *SHORT)
    assert same(weights(job, run(job)), weights(job, run(job)))


def test_seed_zero_and_seed_one_differ(make_job: MakeJob) -> None:
    zero, one = make_job("seed=0", *SHORT), make_job("seed=1", *SHORT)
    assert not same(weights(zero, run(zero)), weights(one, run(one)))


def test_a_loss_that_is_no_number_stops_the_run_and_names_the_step(make_job: MakeJob) -> None:
    job = make_job("model=mlp", "optimizer=sgd", "optimizer.lr=1e30", "schedule=constant", *SHORT)
    told = r"^objective at step \d+ \(epoch 1\): expected a finite number, got (nan|inf)"
    with pytest.raises(TrainingError, match=told):
        run(job)
    found = failed(job)
    assert found.info.status == "FAILED"
    assert "objective at step" in found.data.tags["seedbed.error"]
    uri = client_of(job).tracking_uri
    trace = download_artifacts(run_id=found.info.run_id, artifact_path="error.txt", tracking_uri=uri)
    assert "TrainingError" in Path(trace).read_text()


def test_missing_data_is_told_and_on_record(make_job: MakeJob, tmp_path: Path) -> None:
    job = make_job("data=mnist", f"data.root={tmp_path}/nowhere")
    with pytest.raises(DataError, match=r"nowhere.*data\.download=true"):
        run(job)
    assert failed(job).info.status == "FAILED"


REFUSED = [
    (("optimizer=lbfgs",), r"^data\.batch_size: expected null .* with optimizer=lbfgs"),
    (
        ("trainer.monitor=val/acc",),
        r"^trainer\.monitor: expected one of val/loss, val/accuracy, .* got 'val/acc'",
    ),
    (("trainer.precision=32",), r"^trainer\.precision: expected one of 32-true, .* got '32'"),
    (("trainer.accelerator=tpu",), r"^trainer\.accelerator: expected cpu, gpu or auto, got 'tpu'"),
    (
        ("data=chd", "model=logistic", "evaluate_test=true"),
        r"^evaluate_test: expected data with a test split",
    ),
    (("trainer.max_epochs=0",), r"^trainer\.max_epochs: expected 1 or more, got 0"),
]


@pytest.mark.parametrize(("overrides", "told"), REFUSED)
def test_a_setting_that_cannot_work_is_refused_before_the_first_batch(
    make_job: MakeJob, overrides: tuple[str, ...], told: str
) -> None:
    with pytest.raises(ConfigError, match=told):
        run(make_job(*overrides))


def test_a_store_that_cannot_be_written_is_told(make_job: MakeJob, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="file"):
        run(make_job(f"track.root={tmp_path / 'file'}"))


def test_the_seeds_stay_out_of_the_setting_and_circumstances_out_of_the_signature(make_job: MakeJob) -> None:
    tags = [run_tags(make_job(*SHORT, *more)) for more in ((), ("seed=1",), ("data.val_fraction=0.3",))]
    assert len({tag["seedbed.signature"] for tag in tags}) == 3
    assert tags[0]["seedbed.setting"] == tags[1]["seedbed.setting"] != tags[2]["seedbed.setting"]
    elsewhere = run_tags(make_job(*SHORT, "track.log_model=false", "trainer.progress_bar=false"))
    assert elsewhere["seedbed.signature"] == tags[0]["seedbed.signature"]


def run_tags(job: Job) -> dict[str, str]:
    return dict(client_of(job).get_run(run(job).run_id).data.tags)


def predictor_of(job: Job) -> Predictor:
    (folder,) = Path(job.config["track"]["root"]).glob("artifacts/seedbed/models/*/artifacts/data")
    return Predictor.load(folder)


def test_the_recorded_model_predicts_what_the_run_predicted(make_job: MakeJob) -> None:
    job = make_job("model=cnn", "evaluate_test=true", "data.standardize=true", *SHORT)
    stored = np.load(artifact(job, run(job), "test/predictions.npz"))
    raw = torch.from_numpy(load_digits().images[stored["indices"]].astype(np.uint8)).unsqueeze(1)
    expected = torch.from_numpy(stored["logits"]).softmax(1)
    # Batches of another size: float32 sums in another order.
    torch.testing.assert_close(predictor_of(job)(raw[:100]), expected[:100], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("features", ["polynomial", "radial", "spline"])
def test_a_mapped_linear_model_is_recorded_with_its_map(make_job: MakeJob, features: str) -> None:
    settings = (
        "data=chd",
        "model=logistic",
        "optimizer.lr=0.1",
        "schedule=constant",
        "trainer.max_epochs=200",
    )
    job = make_job(*settings, f"features={features}")
    outcome = run(job)
    assert outcome.metrics["train/accuracy"] > 19 / 33  # better than saying that nobody is ill
    risk = predictor_of(job)(torch.tensor([[30.0], [70.0]], dtype=torch.float64))[:, 1]
    assert risk[0] < 0.5 < risk[1]


def test_a_finished_run_leaves_only_its_journal_in_its_folder(grown: tuple[Job, Outcome]) -> None:
    job, outcome = grown
    folder = Path(job.config["track"]["root"]) / "runs" / outcome.run_id
    assert {path.name for path in folder.iterdir()} == {"journal.jsonl", "delivered", "job.json"}


def test_the_record_holds_what_was_in_force(grown: tuple[Job, Outcome]) -> None:
    job, outcome = grown
    told = json.loads(artifact(job, outcome, "provenance/in_force.json").read_text())
    assert told["num_threads"] == 1
    assert told["deterministic_algorithms"] is True
    assert told["cublas_workspace"] == ":4096:8"
    assert told["world_size"] == 1
