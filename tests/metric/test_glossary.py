"""The table that explains the metrics names them all, and says which way is better."""

import pytest
import torch

from seedbed.errors import ConfigError
from seedbed.metric.collection import NAMES, Metrics, available
from seedbed.metric.glossary import GLOSSARY, better, markdown
from tests.metric.reference import example_set


def test_the_glossary_explains_exactly_what_is_computed() -> None:
    computed: dict[str, float] = {}
    for num_classes in (2, 10):
        metrics = Metrics(num_classes)
        metrics.update(*example_set(20, num_classes))
        computed |= metrics.compute()
    assert list(GLOSSARY) == list(NAMES)
    assert set(computed) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_the_direction_in_a_name_is_the_true_one(name: str) -> None:
    num_classes = 6 if name in available(6) else 2
    right, wrong = Metrics(num_classes), Metrics(num_classes)
    good = torch.eye(num_classes).mul(5).log_softmax(dim=1)
    right.update(good, torch.arange(num_classes))
    wrong.update(good, torch.arange(num_classes).roll(1))
    gain = right.compute()[name] - wrong.compute()[name]
    assert gain > 0 if better(name) == "higher" else gain < 0


@pytest.mark.parametrize(
    ("name", "direction"),
    [("val/loss", "lower"), ("test/accuracy", "higher"), ("b_score", "higher"), ("an_error", "lower")],
)
def test_the_last_word_decides_with_or_without_a_split(name: str, direction: str) -> None:
    assert better(name) == direction


@pytest.mark.parametrize("name", ["val/lossy", "epoch", "scores", ""])
def test_a_name_that_does_not_say_is_refused(name: str) -> None:
    with pytest.raises(
        ConfigError, match="a name that ends in loss, error, seconds, accuracy, score"
    ) as caught:
        better(name)
    assert ", ".join(NAMES) in str(caught.value)


def test_the_table_has_a_row_for_every_metric_and_six_columns() -> None:
    lines = markdown().splitlines()
    assert [line.split("`")[1] for line in lines[2:]] == list(NAMES)
    assert {line.count("|") for line in lines} == {7}
