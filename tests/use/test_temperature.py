"""The temperature of the largest likelihood, against a logistic regression and its own invariants."""

import numpy as np
import pytest
import statsmodels.api as sm
import torch
from torch import Tensor

from seedbed.errors import DataError
from seedbed.model.likelihood import Bernoulli, Categorical, OneVsRest
from seedbed.use.temperature import fitted

# A minimum found by values alone is as sharp as the root of a double's precision.
SHARP = 1e-6


def said(num_classes: int, number: int = 400, scale: float = 3.0) -> tuple[Tensor, Tensor]:
    """Logits of a model that is too sure by this factor, and labels drawn from the true ones."""
    generator = torch.Generator().manual_seed(num_classes)
    true = torch.randn(number, num_classes, generator=generator, dtype=torch.float64)
    chances = torch.sigmoid(torch.cat([-true, true], 1)) if num_classes == 1 else true.softmax(1)
    return true * scale, torch.multinomial(chances, 1, generator=generator)[:, 0]


def test_of_two_classes_it_is_one_over_the_slope_of_a_logistic_regression() -> None:
    logits, labels = said(1)
    found = fitted(Bernoulli(), logits, labels)
    reference = sm.Logit(labels.numpy(), logits.numpy()).fit(disp=False, tol=1e-12)
    assert found.value == pytest.approx(1 / reference.params[0], rel=SHARP)
    assert found.standard_error == pytest.approx(reference.bse[0] / reference.params[0] ** 2, rel=SHARP)
    assert found.num_examples == 400


def test_two_class_softmax_is_the_sigmoid_of_the_difference() -> None:
    logits, labels = said(2)
    both = fitted(Categorical(), logits, labels)
    single = fitted(Bernoulli(), logits[:, 1:] - logits[:, :1], labels)
    assert both.value == pytest.approx(single.value, rel=SHARP)


@pytest.mark.parametrize("likelihood", [Categorical(), OneVsRest()], ids=["softmax", "one_vs_rest"])
def test_no_other_temperature_is_likelier(likelihood: Categorical | OneVsRest) -> None:
    logits, labels = said(5)
    found = fitted(likelihood, logits, labels)

    def loss(temperature: float) -> float:
        told = likelihood.log_probabilities(logits / temperature)
        return float(-told.gather(1, labels[:, None]).mean())

    grid = np.geomspace(0.02, 50, 200)
    assert all(loss(found.value) <= loss(other) + 1e-15 for other in grid)


def test_a_model_that_is_surer_by_a_factor_has_a_temperature_higher_by_it() -> None:
    logits, labels = said(4)
    once, twice = (fitted(Categorical(), factor * logits, labels) for factor in (1, 2))
    assert twice.value == pytest.approx(2 * once.value, rel=SHARP)
    assert twice.standard_error == pytest.approx(2 * once.standard_error, rel=SHARP)


def test_a_constant_on_all_logits_moves_nothing() -> None:
    logits, labels = said(4)
    assert fitted(Categorical(), logits + 7, labels).value == pytest.approx(
        fitted(Categorical(), logits, labels).value, rel=SHARP
    )


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        ([1, 0, 1], "got one on which every example is right. Hold out more examples: data.val_fraction"),
        ([0, 1, 0], "got one on which its confidence says nothing. Train the model first"),
    ],
)
def test_where_no_temperature_is_best_it_is_said(labels: list[int], told: str) -> None:
    logits = torch.tensor([[2.0], [-1.0], [3.0]])
    with pytest.raises(DataError, match=told):
        fitted(Bernoulli(), logits, torch.tensor(labels))
