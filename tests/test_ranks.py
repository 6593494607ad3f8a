"""Runs in several real processes: one record, one result, and every way in which a rank can end."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from seedbed.errors import ConfigError, SeedbedError, Stopped, TrainingError
from seedbed.job import Job
from seedbed.ranks import group
from seedbed.ranks.ending import Ending, root_cause
from seedbed.train import run

MakeJob = Callable[..., Job]
Plant = Callable[[str], None]
# Two ranks add the same float32 terms in another order than one.
ROUNDING = 1e-5
TOP = Path(__file__).parents[1]
# No number of ranks divides the batch, and the last batch of an epoch has fewer examples than ranks.
UNEVEN = ("model=mlp", "model.dropout=0.2", "data.batch_size=51", "trainer.max_epochs=2")
DDP = ("trainer=ddp", "trainer.accelerator=cpu")


def client(job: Job) -> MlflowClient:
    return MlflowClient(f"sqlite:///{job.config['track']['root']}/mlflow.db")


def the_run(job: Job) -> Run:
    experiments = [experiment.experiment_id for experiment in client(job).search_experiments()]
    (found,) = client(job).search_runs(experiments)
    return found


def artifact(job: Job, path: str, folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return Path(client(job).download_artifacts(the_run(job).info.run_id, path, str(folder)))


@pytest.fixture
def plant(monkeypatch: pytest.MonkeyPatch) -> Plant:
    """Lets ranks run the planted program."""

    def planted(what: str) -> None:
        monkeypatch.setattr(group, "PROGRAM", "tests.planted")
        monkeypatch.setenv("SEEDBED_PLANT", what)
        monkeypatch.setenv("PYTHONPATH", f"{TOP / 'src'}:{TOP}")

    return planted


# One run -----------------------------------------------------------------------------------------------


def test_two_processes_make_one_run_with_the_result_of_one(make_job: MakeJob, tmp_path: Path) -> None:
    shared = (*UNEVEN, "evaluate_test=true", "track.system_metrics=true")
    jobs = [make_job(*shared, *DDP, f"track.root={tmp_path}/two"), make_job(*shared)]
    outcomes = [run(job) for job in jobs]
    records = [the_run(job) for job in jobs]
    assert [record.info.status for record in records] == ["FINISHED"] * 2
    for tag in ("seedbed.signature", "seedbed.test_split", "seedbed.num_test_reads"):
        assert records[0].data.tags[tag] == records[1].data.tags[tag]
    for name, value in outcomes[1].metrics.items():
        if not name.endswith("seconds"):
            assert outcomes[0].metrics[name] == pytest.approx(value, abs=ROUNDING), name
    two, one = ({name for name in found.data.metrics if name.startswith("system/")} for found in records)
    assert two == {name.replace("system/", f"system/rank_{rank}/") for name in one for rank in (0, 1)}
    two_files, one_files = (
        np.load(artifact(job, "test/predictions.npz", tmp_path / job.config["trainer"]["strategy"]))
        for job in jobs
    )
    assert np.array_equal(two_files["indices"], one_files["indices"])
    assert np.array_equal(two_files["labels"], one_files["labels"])
    assert np.allclose(two_files["logits"], one_files["logits"], atol=1e-4)


# How a rank may end ------------------------------------------------------------------------------------


def test_a_rank_that_raises_ends_the_run_with_its_trace(
    make_job: MakeJob, plant: Plant, tmp_path: Path
) -> None:
    plant("raise:1:3")
    job = make_job(*UNEVEN, *DDP)
    with pytest.raises(TrainingError, match=r"rank 1 of 2: expected .*, got ValueError: planted"):
        run(job)
    assert the_run(job).info.status == "FAILED"
    told = artifact(job, "error.txt", tmp_path / "told").read_text()
    assert "On rank 1:" in told
    assert 'raise ValueError("planted")' in told


@pytest.mark.slow
def test_a_rank_that_is_killed_is_named_although_the_others_complain_first(
    make_job: MakeJob, plant: Plant
) -> None:
    plant("kill:1:3")
    job = make_job(*UNEVEN, *DDP)
    with pytest.raises(TrainingError, match=r"rank 1 of 2: expected .*, got SIGKILL"):
        run(job)
    assert the_run(job).info.status == "FAILED"


@pytest.mark.slow
def test_a_hang_ends_at_the_timeout_and_says_where_it_was(
    make_job: MakeJob, plant: Plant, tmp_path: Path
) -> None:
    plant("hang:1:3")
    job = make_job(*UNEVEN, *DDP, "trainer.timeout_minutes=0.1")
    with pytest.raises(TrainingError, match=r"rank 1 of 2: expected a step within .*_minutes=0\.1, got none"):
        run(job)
    assert the_run(job).info.status == "FAILED"
    told = artifact(job, "error.txt", tmp_path / "told").read_text()
    assert "in happen" in told.partition("On rank 1:")[2].partition("On rank 0:")[0]


@pytest.mark.slow
def test_ranks_of_different_configurations_do_not_start(make_job: MakeJob, plant: Plant) -> None:
    plant("mislead:1:0")
    job = make_job(*UNEVEN, *DDP)
    with pytest.raises(TrainingError, match=r"seedbed\.signature: expected the same configuration"):
        run(job)
    found = the_run(job)
    assert found.info.status == "FAILED"
    assert not [name for name in found.data.metrics if name.startswith("train/")]


@pytest.mark.slow
def test_a_configuration_that_cannot_work_is_told_as_in_one_process(make_job: MakeJob) -> None:
    job = make_job(*DDP, "model=cnn", "model.channels=[4,4,4,4,4]")
    with pytest.raises(ConfigError, match=r"model\.channels: expected at most 3 stages"):
        run(job)


# What the launcher makes of it -------------------------------------------------------------------------

CONFIG = {"devices": 2, "num_nodes": 1, "timeout_minutes": 10}


def test_the_cause_is_the_first_error_that_is_not_about_a_peer() -> None:
    lost = Ending(1.0, "RuntimeError", "Connection closed by peer", lost=True)
    killed = Ending(float("inf"), "", "SIGKILL")
    raised = Ending(2.0, "ValueError", "ValueError: planted", "the trace")
    assert "rank 1 of 2" in str(root_cause({0: lost, 1: killed}, CONFIG))
    error = root_cause({0: lost, 1: raised}, CONFIG)
    assert "rank 1 of 2" in str(error)
    assert error.__notes__ == ["On rank 1:\nthe trace"]


@pytest.mark.parametrize("kind", [ConfigError, TrainingError])
def test_an_error_of_ours_comes_out_of_a_rank_as_it_was(kind: type[SeedbedError]) -> None:
    error = kind("a key", expected="this", got="that", do="Mend it.")
    back = root_cause({0: Ending.by(error)}, CONFIG)
    assert type(back) is kind
    assert str(back) == str(error)


def test_a_signal_comes_out_of_a_rank_as_a_signal() -> None:
    back = root_cause({0: Ending.by(Stopped(15)), 1: Ending.by(Stopped(15))}, CONFIG)
    assert isinstance(back, Stopped)
    assert back.signal_number == 15


@pytest.mark.parametrize("rendezvous", ["node1", ":29400", "node1:", "node1:port"])
def test_a_rendezvous_is_a_host_and_a_port(rendezvous: str) -> None:
    with pytest.raises(ConfigError, match=r"trainer\.rendezvous: expected HOST:PORT .*, got"):
        group.address(rendezvous)
