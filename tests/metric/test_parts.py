"""The parts that torchmetrics does not have in the form that is needed, at their edges."""

import doctest
import importlib
import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from sklearn.metrics import confusion_matrix, f1_score, roc_auc_score

from seedbed.metric.auroc import Auroc, area
from seedbed.metric.calibration import NUM_BINS, CalibrationError
from seedbed.metric.collection import Score
from seedbed.metric.confusion import Confusion, macro_f1
from seedbed.metric.example import brier, negative_log_likelihood, top5
from tests.metric.reference import example_set

# One division and at most 1e3 additions in float64.
ROUNDING = 1e-14


@pytest.mark.parametrize("name", ["auroc", "collection", "confusion", "example", "glossary", "two_classes"])
def test_the_examples_in_docstrings_hold(name: str) -> None:
    failed, tried = doctest.testmod(importlib.import_module(f"seedbed.metric.{name}"))
    assert tried > 0
    assert failed == 0


@pytest.mark.parametrize("score", [negative_log_likelihood, brier, top5])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32, torch.float64])
def test_an_example_contributes_in_float64_whatever_the_network_computes_in(
    score: Score, dtype: torch.dtype
) -> None:
    log_probabilities, labels = example_set(5, 6)
    assert score(log_probabilities.to(dtype), labels).dtype == torch.float64


def test_equal_probabilities_cost_log_k() -> None:
    equal = torch.zeros(3, 7, dtype=torch.float64).log_softmax(dim=1)
    losses = negative_log_likelihood(equal, torch.tensor([0, 3, 6]))
    assert losses.tolist() == pytest.approx([math.log(7)] * 3, rel=ROUNDING)


def test_of_equal_probabilities_the_first_five_classes_are_the_top_five() -> None:
    equal = torch.zeros(8, 8)
    assert top5(equal, torch.arange(8)).tolist() == [1, 1, 1, 1, 1, 0, 0, 0]


def test_two_class_brier_is_twice_the_one_column_form() -> None:
    p = torch.tensor([0.9, 0.2, 0.5], dtype=torch.float64)
    labels = torch.tensor([1, 1, 0])
    both = torch.stack([1 - p, p], dim=1).log()
    assert brier(both, labels).tolist() == pytest.approx((2 * (p - labels) ** 2).tolist(), rel=ROUNDING)


def test_ties_count_half_in_the_area() -> None:
    scores = torch.tensor([0.0, 0.0, 0.0, 0.0], dtype=torch.float64)
    assert area(scores, torch.tensor([True, False, True, False])) == 0.5


@pytest.mark.parametrize("num_levels", [1, 2, 5, 1000])
def test_the_area_equals_scikit_learns(num_levels: int) -> None:
    generator = torch.Generator().manual_seed(num_levels)
    scores = torch.randint(num_levels, (500,), generator=generator).double()
    positive = torch.rand(500, generator=generator) < 0.3
    assert float(area(scores, positive)) == pytest.approx(roc_auc_score(positive, scores), rel=ROUNDING)


@pytest.mark.parametrize("transform", [torch.exp, torch.log1p, lambda x: 3 * x - 7])
def test_an_increasing_function_of_the_score_moves_no_bit_of_the_area(
    transform: Callable[[torch.Tensor], torch.Tensor],
) -> None:
    generator = torch.Generator().manual_seed(0)
    scores = torch.rand(500, generator=generator, dtype=torch.float64)
    positive = torch.rand(500, generator=generator) < 0.3
    assert torch.equal(area(scores, positive), area(transform(scores), positive))


def test_infinitely_unlikely_is_ranked_last() -> None:
    scores = torch.tensor([-math.inf, -math.inf, -1.0, 0.0], dtype=torch.float64)
    assert area(scores, torch.tensor([False, False, True, True])) == 1


def test_a_class_without_examples_has_no_area_and_does_not_count_as_zero() -> None:
    auroc = Auroc()
    perfect = torch.eye(3)[[0, 1, 0, 1]].log()
    auroc.update(perfect, torch.tensor([0, 1, 0, 1]))
    assert auroc.compute() == 1


def test_one_class_alone_has_no_area_at_all() -> None:
    auroc = Auroc()
    auroc.update(torch.zeros(4, 2), torch.zeros(4, dtype=torch.int64))
    assert auroc.compute().isnan()


@pytest.mark.parametrize("m", range(1, NUM_BINS + 1))
def test_a_bin_holds_its_upper_end(m: int) -> None:
    metric = CalibrationError()
    edge = torch.tensor([m / NUM_BINS], dtype=torch.float64)
    confidence = edge.log().exp()  # which another processor may round to the other side
    # The classes behind the first share what is left, so that the first has the largest probability.
    others = ((1 - confidence) / 20).expand(20)
    metric.update(torch.cat([edge, others]).log()[None], torch.tensor([0]))
    num_edges_below = sum(k / NUM_BINS < confidence.item() for k in range(1, NUM_BINS))
    assert metric.sums[0].nonzero().tolist() == [[num_edges_below]]


def test_certainty_is_in_the_fifteenth_bin_with_its_neighbours() -> None:
    metric = CalibrationError()
    p = torch.tensor([[1.0, 0.0], [0.95, 0.05]], dtype=torch.float64)
    metric.update(p.log(), torch.tensor([0, 1]))
    # One bin: |1 of 2 right - mean confidence 0.975|; torchmetrics' two bins would say 0.475 + 0.
    assert float(metric.compute()) == pytest.approx(0.475, rel=ROUNDING)
    assert metric.sums[0].tolist() == [0] * 14 + [2]


def test_the_confusion_matrix_is_scikit_learns() -> None:
    log_probabilities, labels = example_set(500, 7)
    metric = Confusion(7)
    metric.update(log_probabilities, labels)
    expected = confusion_matrix(labels, log_probabilities.argmax(dim=1), labels=np.arange(7))
    assert metric.compute().tolist() == expected.tolist()


@pytest.mark.parametrize(
    ("labels", "predictions"),
    [([0, 0, 1], [0, 1, 1]), ([0, 0, 0], [1, 1, 1]), ([2, 2], [2, 2]), ([0, 1, 2, 2], [0, 1, 0, 0])],
)
def test_a_class_that_is_nowhere_has_no_f1_but_one_that_is_missed_has_zero(
    labels: list[int], predictions: list[int]
) -> None:
    counts = torch.tensor(confusion_matrix(labels, predictions, labels=[0, 1, 2, 3]))
    expected = f1_score(labels, predictions, average="macro", zero_division=0)
    assert macro_f1(counts) == pytest.approx(expected, rel=ROUNDING)
