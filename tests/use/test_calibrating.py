"""`seedbed calibrate`: one temperature, kept with the run, that predictions can be made with."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from seedbed.harvest import NUM_READS
from seedbed.reproduce.verify import verify
from seedbed.use.trained import TEMPERATURE
from seedbed.verdict.find import find
from tests.use.conftest import Garden
from tests.use.test_predict import lines, probabilities, written


@pytest.fixture(scope="module")
def calibrated(garden: Garden) -> str:
    """What the verb said."""
    done = garden.verb("calibrate", garden.ids["digits"])
    assert done.exit_code == 0, done.exception
    return done.stdout


@pytest.fixture
def told(calibrated: str, garden: Garden) -> dict[str, Any]:
    with garden.open("digits") as model:
        found: dict[str, Any] = json.loads(model.subject.files[TEMPERATURE].read_text())
    return found


def test_before_it_the_metrics_are_those_on_record(garden: Garden, told: dict[str, Any]) -> None:
    known = find(garden.store, garden.ids["digits"]).metrics
    for split, prefix in (("val", "best_val"), ("test", "test")):
        before = told["metrics"][split]["before"]
        own = {name: known[f"{prefix}/{name}"] for name in before}
        assert before == pytest.approx(own, rel=1e-5)
    assert told["num_examples"] == {"val": 288, "test": 359}


def test_after_it_the_likelihood_of_validation_is_higher(told: dict[str, Any], calibrated: str) -> None:
    both = told["metrics"]["val"]
    assert both["after"]["loss"] < both["before"]["loss"]
    assert f"temperature {told['temperature']:.4f} (standard error {told['standard_error']:.4f}, n = 288" in (
        calibrated
    )
    assert "val (n = 288, in sample, it was fitted here): loss" in calibrated
    assert "test (n = 359, stored logits, no new read): loss" in calibrated


def test_the_table_of_bins_gives_the_calibration_error(garden: Garden, told: dict[str, Any]) -> None:
    with garden.open("digits") as model:
        text = model.subject.files["calibration/reliability.csv"].read_text()
    rows = list(csv.DictReader(text.splitlines()))
    for split, both in told["metrics"].items():
        for temperature, scores in ((1.0, both["before"]), (told["temperature"], both["after"])):
            bins = [
                {name: float(value) for name, value in row.items() if name != "split"}
                for row in rows
                if row["split"] == split and float(row["temperature"]) == temperature
            ]
            count = sum(row["num_examples"] for row in bins)
            gap = sum(row["num_examples"] * abs(row["mean_confidence"] - row["accuracy"]) for row in bins)
            assert count == told["num_examples"][split]
            assert gap / count == pytest.approx(scores["calibration_error"], rel=1e-9)
            assert all(row["bin_low"] < row["mean_confidence"] <= row["bin_high"] for row in bins)


def test_calibrated_predictions_divide_the_logits_and_keep_the_class(
    garden: Garden, told: dict[str, Any], tmp_path: Path
) -> None:
    folder = written(tmp_path / "digits", 5)
    plain, warm = (
        lines(garden.verb("predict", garden.ids["digits"], str(folder), *words).stdout)
        for words in ((), ("--calibrated",))
    )
    log = torch.from_numpy(np.log(probabilities(plain)))
    expected = (log / told["temperature"]).softmax(1).numpy()
    np.testing.assert_allclose(probabilities(warm), expected, rtol=1e-4)
    assert [row["predicted"] for row in plain] == [row["predicted"] for row in warm]


def test_it_reads_no_test_split_and_the_record_still_verifies(garden: Garden, told: dict[str, Any]) -> None:
    before = garden.tags("digits")[NUM_READS]
    garden.verb("calibrate", garden.ids["digits"])
    assert garden.tags("digits")[NUM_READS] == before
    (looked,) = verify(garden.store, find(garden.store, garden.ids["digits"]))
    assert [check.told for check in looked.checks if check.state == "wrong"] == []
    with garden.open("digits") as model:
        assert json.loads(model.subject.files[TEMPERATURE].read_text()) == told


def test_without_a_read_nothing_is_said_of_new_data(garden: Garden) -> None:
    done = garden.verb("calibrate", garden.ids["table"])
    assert "The run has not read its test split, so nothing is said of new data." in done.stdout
    assert "test (" not in done.stdout


def test_a_run_without_validation_is_refused(garden: Garden) -> None:
    error = str(garden.verb("calibrate", garden.ids["mapped"]).exception)
    assert "expected a run with a validation split, which the temperature is fitted on, got" in error
