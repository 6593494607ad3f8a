"""Clicks as runs see them: splits, thinned negatives, a population with a known truth, and refusals."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.preprocessing import PolynomialFeatures

from seedbed.data.codes import code_of
from seedbed.data.module import DataModule
from seedbed.data.population import LOT, Population, bayes_loss, loss_of
from seedbed.errors import ConfigError
from seedbed.streams import spawn
from tests.data.clicks import NUM_ROWS, click_log, generated, write_log

STREAMS = spawn(0)


def ready(data: DataModule, **keys: Any) -> DataModule:
    data.setup(STREAMS, **keys)
    return data


def labels(data: DataModule) -> torch.Tensor:
    return torch.cat([batch.labels for batch in data.train_dataloader()])


def people(**changes: Any) -> Population:
    keys: dict[str, Any] = {"zipf_exponent": 1.0, "base_rate": 0.1, "seed": 0}
    return Population([20, 5], **(keys | changes))


def test_a_log_is_read_as_it_was_written(tmp_path: Path) -> None:
    truth = write_log(tmp_path / "log")
    data = ready(click_log(tmp_path / "log", val_fraction=0.0, test_fraction=0.0))
    assert labels(data).tolist() == truth.clicks.tolist()
    assert data.facts.input_shape == (39,)
    assert data.facts.class_names == ("no click", "click")
    assert data.facts.coded
    assert data.column_names[:2] == ("I1", "I2")
    assert data.files() == {"log": tmp_path / "log"}


def test_codes_reach_the_network_exactly_in_single_precision(tmp_path: Path) -> None:
    write_log(tmp_path / "log")
    data = click_log(tmp_path / "log")
    single, double = (
        torch.cat([batch.inputs for batch in ready(data, dtype=dtype).train_dataloader()]).long()
        for dtype in (torch.float32, torch.float64)
    )
    assert torch.equal(single, double)
    assert int(single.max()) > 2**23


def test_negatives_are_thinned_in_training_alone_and_every_click_is_kept() -> None:
    whole, thinned = (
        ready(generated(num_rows=20_000)),
        ready(generated(num_rows=20_000, negative_fraction=0.25)),
    )
    before, after = (data.identity()[0].class_counts for data in (whole, thinned))
    assert after[1] == before[1]
    assert after[0] / before[0] == pytest.approx(0.25, abs=0.02)  # of 11,000: five standard errors
    assert thinned.identity()[1:] == whole.identity()[1:]
    assert thinned.facts.training_offset == math.log(4)
    assert whole.facts.training_offset == 0
    places = torch.cat([batch.indices for batch in thinned.train_dataloader()])
    assert torch.equal(places, places.sort().values)


def test_the_split_stream_chooses_the_negatives() -> None:
    keys = {"negative_fraction": 0.5}
    one, again, other = (generated(**keys) for _ in range(3))
    for data, seed in ((one, 0), (again, 0), (other, 1)):
        data.setup(spawn(seed))
    assert one.identity() == again.identity()
    assert one.identity()[0].split_digest != other.identity()[0].split_digest


def test_shifted_log_odds_are_the_published_correction() -> None:
    # He et al. (2014), section 6.3: q = p / (p + (1 - p) / w).
    for p in (0.001, 0.3, 0.9):
        for w in (0.01, 0.5, 1.0):
            shifted = math.log(p / (1 - p)) + math.log(w)
            assert 1 / (1 + math.exp(-shifted)) == pytest.approx(p / (p + (1 - p) / w), rel=1e-12)


def test_generated_codes_are_those_of_the_population() -> None:
    data = ready(generated(val_fraction=0.0, test_fraction=0.0))
    truth = data.population.rows(0, 1000)  # type: ignore[attr-defined]
    codes = torch.cat([batch.inputs for batch in data.train_dataloader()]).long()
    assert labels(data).tolist() == truth.clicks.tolist()
    assert codes[7].tolist() == [code_of(f"F{k + 1}", str(truth.categories[7, k])) for k in range(4)]


def test_more_rows_are_the_same_rows_and_some_behind_them() -> None:
    few, many = people().rows(0, 100), people().rows(0, LOT + 100)
    for one, other in zip(few, many, strict=True):
        assert np.array_equal(one, other[:100])
    inside = people().rows(LOT - 5, LOT + 5)
    for one, other in zip(inside, many, strict=True):
        assert np.array_equal(one, other[LOT - 5 : LOT + 5])


def test_frequencies_fall_as_zipf_says_and_the_base_rate_is_met() -> None:
    rows = people(zipf_exponent=1.5).rows(0, 4 * LOT)
    found = np.bincount(rows.categories[:, 0], minlength=20) / len(rows.clicks)
    expected = np.arange(1, 21.0) ** -1.5
    np.testing.assert_allclose(found, expected / expected.sum(), atol=0.007)  # five standard errors
    assert rows.clicks.mean() == pytest.approx(0.1, abs=0.005)
    assert rows.probabilities.mean() == pytest.approx(0.1, abs=0.005)


def test_the_true_probabilities_lose_the_bayes_loss_and_others_more() -> None:
    rows = people().rows(0, 4 * LOT)
    least = bayes_loss(rows.probabilities)
    assert loss_of(rows.probabilities, rows.clicks) == pytest.approx(least, abs=0.008)  # five standard errors
    for factor in (0.5, 1.5):
        odds = factor * rows.probabilities / (1 - rows.probabilities)
        assert loss_of(odds / (1 + odds), rows.clicks) > loss_of(rows.probabilities, rows.clicks)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        (
            {"standardize": True},
            "data.standardize: expected false, because codes are names of categories, got ",
        ),
        (
            {"negative_fraction": 0.0},
            "data.negative_fraction: expected a number above 0 and at most 1, got 0. ",
        ),
        (
            {"negative_fraction": 1.1},
            "data.negative_fraction: expected a number above 0 and at most 1, got 1.1.",
        ),
        ({"val_fraction": 1.0}, "data.val_fraction: expected a number from 0 to below 1, got 1."),
        ({"test_fraction": -0.1}, "data.test_fraction: expected a number from 0 to below 1, got -0.1."),
        ({"num_rows": 0}, "data.num_rows: expected 1 or more, got 0."),
        ({"base_rate": 1.0}, "data.base_rate: expected a number above 0 and below 1, got 1."),
        ({"zipf_exponent": -1.0}, "data.zipf_exponent: expected 0 or more, got -1."),
        ({"num_folds": 5}, "data.num_folds: expected null: clicks are split in time order only, got 5."),
    ],
)
def test_a_key_out_of_its_range_is_refused(changes: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        generated(**changes)
    assert str(caught.value).startswith(text)


def test_another_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        click_log(tmp_path / "log", "csv")
    assert str(caught.value) == ("data.format: expected one of criteo, avazu, got 'csv'. Choose one of them.")


def test_a_map_of_codes_to_features_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        generated().setup(STREAMS, features=PolynomialFeatures(2))
    assert str(caught.value) == (
        "features: expected null, because codes are names of categories, got PolynomialFeatures. "
        "Set features=null."
    )


def test_a_log_without_a_click_is_refused(tmp_path: Path) -> None:
    line = b"\t".join([b"0", *[b"1"] * 39]) + b"\n"
    (tmp_path / "log").write_bytes(line * NUM_ROWS)
    with pytest.raises(Exception, match="expected examples of at least two classes, got only class no click"):
        ready(click_log(tmp_path / "log"))
