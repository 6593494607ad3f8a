"""One-vs-rest against softmax, on the digits in place of MNIST."""

from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit

from experiments.lecture import arrays
from experiments.one_vs_rest.__main__ import MODELS, PREDICTIONS, Found, found, picture_of, rows_of
from seedbed.track.store import Store
from seedbed.verdict.find import filtered

DIGITS = ("data=digits", "data.batch_size=null", "data.val_fraction=0", "optimizer.max_iter=20")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("one_vs_rest")


@pytest.fixture(scope="module")
def told(root: Path) -> Found:
    return found(root, DIGITS)


def test_every_figure_is_of_the_whole_test_split(told: Found) -> None:
    rows = {str(row["quantity"]): row for row in rows_of(told)}
    for model in MODELS:
        row = rows[f"test/accuracy, {model}"]
        assert row["n"] == 359
        assert float(row["low"] or 0) < float(row["value"] or 0) < float(row["high"] or 0)
    softmax, one_vs_rest = (float(rows[f"test/accuracy, {model}"]["value"] or 0) for model in MODELS)
    assert rows["softmax minus one_vs_rest"]["value"] == pytest.approx(softmax - one_vs_rest)
    only = [float(rows[f"only {model} right"]["value"] or 0) for model in MODELS]
    assert (only[0] - only[1]) / 359 == pytest.approx(softmax - one_vs_rest)
    right, wrong = (float(rows[f"sum of the sigmoids, {name}"]["n"] or 0) for name in ("right", "wrong"))
    assert right + wrong == 359
    assert right / 359 == pytest.approx(one_vs_rest)


def test_the_sums_are_of_the_sigmoids_of_the_recorded_logits(root: Path, told: Found) -> None:
    (run,) = [run for run in filtered(Store.open(root), "") if run.params["model"] == "one_vs_rest"]
    logits = arrays(root, run.run_id, PREDICTIONS)["logits"]
    assert told.sums == pytest.approx(expit(logits).sum(axis=1), rel=1e-12)
    assert np.ptp(told.sums) > 0.1
    assert sum(int(row[4] or 0) for row in picture_of(told).rows if row[1] in ("bin", "outside")) == 359
