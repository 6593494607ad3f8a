"""Losses and probabilities against NumPy, SciPy and scikit-learn, and what must hold of any of them."""

import math

import numpy as np
import pytest
import torch
from scipy.special import expit, log_expit, log_softmax
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.multiclass import OneVsRestClassifier
from torch import Tensor

from seedbed.errors import ConfigError
from seedbed.model.likelihood import Bernoulli, Categorical, Likelihood, OneVsRest

ALL = [(Bernoulli(), 2), (Categorical(), 2), (Categorical(), 7), (OneVsRest(), 2), (OneVsRest(), 7)]
SHAPES = [(1, 2), (5, 3), (64, 10), (3, 100)]
# float64 sums of up to a hundred terms.
ROUNDING = 1e-12


def drawn(count: int, num_logits: int, num_classes: int, scale: float = 3.0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(count * 1000 + num_classes)
    logits = torch.randn(count, num_logits, generator=generator, dtype=torch.float64) * scale
    return logits, torch.randint(num_classes, (count,), generator=generator)


def smoothed(labels: Tensor, num_classes: int, share: float) -> np.ndarray:
    truth: np.ndarray = np.eye(num_classes)[labels.numpy()]
    return truth * (1 - share) + share / num_classes


@pytest.mark.parametrize(("count", "num_classes"), SHAPES)
@pytest.mark.parametrize("share", [0.0, 0.1, 0.9])
def test_categorical_nll_is_the_cross_entropy_with_smoothed_labels(
    count: int, num_classes: int, share: float
) -> None:
    logits, labels = drawn(count, num_classes, num_classes)
    expected = -(smoothed(labels, num_classes, share) * log_softmax(logits.numpy(), axis=1)).sum(axis=1)
    losses = Categorical().nll(logits, labels, share)
    np.testing.assert_allclose(losses.numpy(), expected, rtol=ROUNDING)


@pytest.mark.parametrize(("count", "num_classes"), SHAPES)
@pytest.mark.parametrize("share", [0.0, 0.1, 0.9])
def test_one_vs_rest_nll_is_the_sum_of_binary_cross_entropies(
    count: int, num_classes: int, share: float
) -> None:
    logits, labels = drawn(count, num_classes, num_classes)
    targets, scores = smoothed(labels, num_classes, share), logits.numpy()
    expected = -(targets * log_expit(scores) + (1 - targets) * log_expit(-scores)).sum(axis=1)
    losses = OneVsRest().nll(logits, labels, share)
    np.testing.assert_allclose(losses.numpy(), expected, rtol=ROUNDING)


@pytest.mark.parametrize("count", [1, 5, 64])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.9])
def test_bernoulli_nll_is_the_binary_cross_entropy_with_smoothed_labels(count: int, share: float) -> None:
    logits, labels = drawn(count, 1, 2)
    scores, targets = logits.numpy()[:, 0], smoothed(labels, 2, share)[:, 1]
    expected = -(targets * log_expit(scores) + (1 - targets) * log_expit(-scores))
    np.testing.assert_allclose(Bernoulli().nll(logits, labels, share).numpy(), expected, rtol=ROUNDING)


@pytest.mark.parametrize(("likelihood", "num_classes"), ALL)
def test_probabilities_sum_to_one_over_the_classes(likelihood: Likelihood, num_classes: int) -> None:
    logits, _ = drawn(20, likelihood.num_logits(num_classes), num_classes)
    log_probabilities = likelihood.log_probabilities(logits)
    assert log_probabilities.shape == (20, num_classes)
    torch.testing.assert_close(log_probabilities.exp().sum(dim=1), torch.ones(20).double())


@pytest.mark.parametrize(("count", "num_classes"), [(1, 2), (5, 3), (64, 10)])
def test_nll_without_smoothing_is_scikit_learns_log_loss(count: int, num_classes: int) -> None:
    logits, labels = drawn(count, num_classes, num_classes)
    probabilities = Categorical().log_probabilities(logits).exp().numpy()
    expected = log_loss(labels.numpy(), probabilities, labels=range(num_classes))
    assert Categorical().nll(logits, labels).mean().item() == pytest.approx(expected, rel=ROUNDING)


def test_one_vs_rest_probabilities_are_scikit_learns() -> None:
    generator = np.random.default_rng(0)
    inputs, labels = generator.normal(size=(90, 4)), np.arange(90) % 3
    reference = OneVsRestClassifier(LogisticRegression()).fit(inputs, labels)
    scores = torch.from_numpy(reference.decision_function(inputs))
    np.testing.assert_allclose(
        OneVsRest().log_probabilities(scores).exp().numpy(), reference.predict_proba(inputs), rtol=ROUNDING
    )


def test_bernoulli_gives_the_column_of_class_one_last() -> None:
    logits, _ = drawn(9, 1, 2)
    np.testing.assert_allclose(
        Bernoulli().log_probabilities(logits)[:, 1].exp().numpy(), expit(logits.numpy()[:, 0]), rtol=ROUNDING
    )


def test_a_constant_added_to_softmax_logits_moves_nothing() -> None:
    logits, labels = drawn(20, 6, 6)
    torch.testing.assert_close(Categorical().nll(logits + 5.0, labels), Categorical().nll(logits, labels))
    torch.testing.assert_close(
        Categorical().log_probabilities(logits + 5.0), Categorical().log_probabilities(logits)
    )


@pytest.mark.parametrize("share", [0.0, 0.2])
def test_two_class_softmax_is_the_sigmoid_of_the_difference(share: float) -> None:
    logits, labels = drawn(20, 2, 2)
    difference = logits[:, 1:] - logits[:, :1]
    torch.testing.assert_close(
        Categorical().nll(logits, labels, share), Bernoulli().nll(difference, labels, share)
    )
    torch.testing.assert_close(
        Categorical().log_probabilities(logits), Bernoulli().log_probabilities(difference)
    )


@pytest.mark.parametrize("num_classes", [2, 3, 10, 1000])
def test_equal_logits_give_log_k(num_classes: int) -> None:
    logits, labels = torch.full((1, num_classes), -4.0).double(), torch.tensor([1])
    assert Categorical().nll(logits, labels).item() == pytest.approx(math.log(num_classes), rel=ROUNDING)
    uniform = OneVsRest().log_probabilities(logits)
    np.testing.assert_allclose(uniform.numpy(), -math.log(num_classes), rtol=ROUNDING)


@pytest.mark.parametrize(("likelihood", "num_classes"), ALL)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("size", [1e4, -1e4, 1e30])
def test_huge_logits_stay_finite(
    likelihood: Likelihood, num_classes: int, dtype: torch.dtype, size: float
) -> None:
    num_logits = likelihood.num_logits(num_classes)
    logits = (torch.eye(num_logits, dtype=dtype) * size).requires_grad_()
    labels = torch.arange(num_logits) % num_classes
    for smoothing in (0.0, 0.1):
        losses = likelihood.nll(logits, labels, smoothing)
        (gradient,) = torch.autograd.grad(losses.sum(), logits)
        assert losses.isfinite().all()
        assert gradient.isfinite().all()
    assert likelihood.log_probabilities(logits).isfinite().all()


def test_sigmoids_that_underflow_keep_their_ratio() -> None:
    logits = torch.tensor([[-2000.0, -2001.0, -3000.0]])
    expected = torch.tensor([1.0, math.exp(-1.0), 0.0]) / (1 + math.exp(-1.0))
    torch.testing.assert_close(OneVsRest().log_probabilities(logits).exp(), expected[None])


def test_smoothing_has_its_optimum_at_the_smoothed_labels() -> None:
    labels, share = torch.tensor([2]), 0.3
    target = torch.from_numpy(smoothed(labels, 4, share))
    for likelihood, best in ((Categorical(), target.log()), (OneVsRest(), target.logit())):
        logits = best.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(likelihood.nll(logits, labels, share).sum(), logits)
        torch.testing.assert_close(gradient, torch.zeros_like(gradient))


@pytest.mark.parametrize("num_classes", [1, 3, 10])
def test_one_logit_serves_two_classes_only(num_classes: int) -> None:
    with pytest.raises(ConfigError) as refusal:
        Bernoulli().num_logits(num_classes)
    assert str(refusal.value) == (
        "model: expected two classes for a model with one logit, such as logistic, got"
        f" {num_classes} classes. Choose model=softmax, or data of two classes."
    )
