"""A job is a value: what it shows, what it refuses, and that it survives a file."""

from pathlib import Path

import pytest
from omegaconf.errors import MissingMandatoryValue

from seedbed.errors import ConfigError
from seedbed.job import Job, check_targets
from tests.conftest import MakeJob

CHOICES = {
    "model": "softmax",
    "data": "digits",
    "optimizer": "adamw",
    "schedule": "one_cycle",
    "trainer": "single",
}


def test_params_hold_choices_seed_and_what_was_overridden(make_job: MakeJob) -> None:
    params = make_job("optimizer.lr=0.2", "seed=3", "model=softmax").params
    assert params == {**CHOICES, "seed": 3, "optimizer.lr": 0.2}


def test_a_swept_key_shows_in_every_run_even_with_its_default(make_job: MakeJob) -> None:
    assert make_job("optimizer.lr=0.003").params["optimizer.lr"] == 0.003
    assert "optimizer.lr" not in make_job().params


def test_a_key_without_a_default_is_overridden_by_its_value(make_job: MakeJob) -> None:
    assert make_job("data=image_folder", "data.root=photos").config["data"]["root"] == "photos"
    with pytest.raises(MissingMandatoryValue, match=r"data\.root"):
        make_job("data=image_folder")


def test_a_circumstance_stays_out_of_the_params(make_job: MakeJob) -> None:
    assert make_job("trainer.num_threads=1", "track.log_model=false").params == make_job().params


def test_what_an_experiment_file_changes_is_among_the_params(make_job: MakeJob) -> None:
    assert make_job("experiment=demo").params["evaluate_test"] is True


def test_a_run_is_named_by_model_data_and_seed_unless_a_study_names_it(make_job: MakeJob) -> None:
    assert make_job().name == "softmax digits 0"
    assert make_job("track.run_name=mlp 2").name == "mlp 2"


def test_a_job_survives_its_file(make_job: MakeJob, tmp_path: Path) -> None:
    job = make_job("optimizer.lr=0.2")
    job.save(tmp_path / "job.json")
    assert Job.load(tmp_path / "job.json") == job


@pytest.mark.parametrize("target", ["os.system", "subprocess.run", "builtins.eval", "seedbedx.evil"])
def test_a_foreign_target_is_refused_at_any_depth(target: str) -> None:
    with pytest.raises(ConfigError, match=r"model\.inner\._target_: expected a path that starts with one of"):
        check_targets({"model": {"inner": {"_target_": target}}})


def test_a_foreign_target_on_the_command_line_is_refused(make_job: MakeJob) -> None:
    with pytest.raises(ConfigError, match=r"^model\._target_: .* got 'os\.system'"):
        make_job("model._target_=os.system")


def test_a_negative_seed_is_refused_by_name(make_job: MakeJob) -> None:
    with pytest.raises(ConfigError, match=r"^seed: expected 0 or more, got -1\."):
        make_job("seed=-1")
    with pytest.raises(ConfigError, match=r"^streams\.init: expected 0 or more, got -2\."):
        make_job("streams.init=-2")


def test_seed_zero_is_a_seed(make_job: MakeJob) -> None:
    assert make_job("seed=0").params["seed"] == 0


def test_a_key_that_no_schema_knows_is_refused(make_job: MakeJob) -> None:
    with pytest.raises(
        ConfigError, match=r"^optimizer\.lrr: expected one of _partial_, .*a key that nothing reads"
    ):
        make_job("+optimizer.lrr=0.2")
    with pytest.raises(
        ConfigError, match=r"^sead: expected one of data, evaluate_test, .*Correct its spelling"
    ):
        make_job("+sead=1")
