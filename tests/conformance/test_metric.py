"""What holds of every metric, whatever it measures: a new name gets these tests for nothing."""

import math
import re

import pytest
import torch

from seedbed.metric.collection import NAMES, Metrics, available
from seedbed.metric.glossary import GLOSSARY, better

# The same terms summed in another order.
ROUNDING = 1e-12

Examples = tuple[torch.Tensor, torch.Tensor]


def classes_of(name: str) -> int:
    """Seven, or two for a metric of two classes."""
    return 7 if name in available(7) else 2


@pytest.fixture
def examples(name: str) -> Examples:
    num_classes = classes_of(name)
    generator = torch.Generator().manual_seed(7)
    logits = torch.randn(200, num_classes, generator=generator, dtype=torch.float64)
    labels = torch.randint(num_classes, (200,), generator=generator)
    return (logits + torch.eye(num_classes)[labels]).log_softmax(dim=1), labels


def value(name: str, log_probabilities: torch.Tensor, labels: torch.Tensor) -> float:
    metrics = Metrics(classes_of(name), names=(name,))
    metrics.update(log_probabilities, labels)
    return metrics.compute()[name]


def limits(name: str) -> tuple[float, float]:
    low, high = re.fullmatch(r"(\S+) to (\S+)", GLOSSARY[name].range).groups()  # type: ignore[union-attr]
    return float(low), float(high)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("sharpness", [0.0, 0.5, 5.0, 500.0])
def test_no_metric_leaves_the_range_in_the_glossary(name: str, sharpness: float, examples: Examples) -> None:
    low, high = limits(name)
    log_probabilities, labels = examples
    assert low <= value(name, (log_probabilities * sharpness).log_softmax(dim=1), labels) <= high


@pytest.mark.parametrize("name", NAMES)
def test_certainty_about_the_truth_is_the_best_end_of_the_range(name: str, examples: Examples) -> None:
    low, high = limits(name)
    perfect = torch.eye(classes_of(name)).log()[examples[1]]
    assert value(name, perfect, examples[1]) == (low if better(name) == "lower" else high)


@pytest.mark.parametrize("name", NAMES)
def test_the_order_of_the_examples_does_not_matter(name: str, examples: Examples) -> None:
    order = torch.randperm(200, generator=torch.Generator().manual_seed(1))
    shuffled = value(name, examples[0][order], examples[1][order])
    assert shuffled == pytest.approx(value(name, *examples), rel=ROUNDING)


@pytest.mark.parametrize("name", NAMES)
def test_the_numbers_of_the_classes_do_not_matter(name: str, examples: Examples) -> None:
    log_probabilities, labels = examples
    reversed_classes = value(name, log_probabilities.flip(1), classes_of(name) - 1 - labels)
    assert reversed_classes == pytest.approx(value(name, *examples), rel=ROUNDING)


@pytest.mark.parametrize("name", NAMES)
def test_every_example_counts_the_same(name: str, examples: Examples) -> None:
    thrice = (part.repeat_interleave(3, dim=0) for part in examples)
    assert value(name, *thrice) == pytest.approx(value(name, *examples), rel=ROUNDING)


@pytest.mark.parametrize("name", NAMES)
def test_a_batch_of_one_weighs_one_example(name: str, examples: Examples) -> None:
    # Averages of batches would give a batch of one the weight of two hundred.
    log_probabilities, labels = examples
    metrics = Metrics(classes_of(name), names=(name,))
    metrics.update(log_probabilities[:199], labels[:199])
    metrics.update(log_probabilities[199:], labels[199:])
    assert metrics.compute()[name] == value(name, *examples)


@pytest.mark.parametrize("name", NAMES)
def test_a_better_model_has_a_better_value(name: str, examples: Examples) -> None:
    log_probabilities, labels = examples
    noise = torch.randn(log_probabilities.shape, generator=torch.Generator().manual_seed(2)).double()
    blurred = (log_probabilities.roll(1, dims=0) + noise).mul(2).log_softmax(dim=1)
    gain = value(name, log_probabilities, labels) - value(name, blurred, labels)
    assert math.copysign(1, gain) == (-1 if better(name) == "lower" else 1)
