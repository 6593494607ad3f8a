"""Intervals and tests against the lecture's figures, statsmodels and numerical derivatives."""

from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm
from sklearn.datasets import load_breast_cancer
from statsmodels.tools.numdiff import approx_hess

from seedbed.errors import TrainingError
from seedbed.model.inference import Coefficients, coefficients

# Computed with 50 digits, printed with 13 to 15.
PUBLISHED, PRINTED_LOW = 1e-11, 1e-9
# A second derivative by differences in float64.
NUMERICAL = 1e-4
# Newton's last step is quadratically smaller than this; columns in original units do not allow less.
NEWTON = 1e-10

Given = dict[str, Any]


def given(inputs: np.ndarray, labels: np.ndarray, *, standardize: bool = True) -> Given:
    mean = inputs.mean(axis=0) if standardize else np.zeros(inputs.shape[1])
    sd = inputs.std(axis=0) if standardize else np.ones(inputs.shape[1])
    fit = sm.Logit(labels, sm.add_constant((inputs - mean) / sd)).fit(disp=0, tol=NEWTON, maxiter=100)
    names = [f"column {place}" for place in range(inputs.shape[1])]
    return {
        "inputs_raw": inputs,
        "labels": labels,
        "weight": fit.params[1:],
        "bias": float(fit.params[0]),
        "mean": mean,
        "sd": sd,
        "column_names": names,
    }


@pytest.fixture(scope="module")
def fitted(chd: Any) -> Coefficients:
    return coefficients(**given(chd.inputs, chd.labels) | {"column_names": ["age"]})


@pytest.fixture(scope="module")
def three_columns() -> tuple[np.ndarray, np.ndarray]:
    """Mean radius, texture and smoothness of the tumours: they overlap."""
    inputs, labels = load_breast_cancer(return_X_y=True)
    return inputs[:, [0, 1, 4]], labels


def test_intercept_and_slope_of_chd(fitted: Coefficients) -> None:
    intercept, slope = fitted.table
    assert (intercept.name, slope.name) == ("intercept", "age")
    assert intercept[1:3] == pytest.approx((-6.70846142854752, 2.35399217835602), rel=PUBLISHED)
    assert slope[1:3] == pytest.approx((0.131502027083233, 0.0463387201184558), rel=PUBLISHED)


def test_odds_ratio_of_chd_with_wald_and_profile_intervals(fitted: Coefficients) -> None:
    slope = fitted.table[1]
    assert slope.odds_ratio == pytest.approx(1.14054021968998, rel=PUBLISHED)
    assert slope[8:10] == pytest.approx((1.041518563, 1.248976292), rel=PRINTED_LOW)
    assert slope[10:12] == pytest.approx((1.058826077, 1.279876195), rel=PRINTED_LOW)


def test_summary_of_chd(fitted: Coefficients) -> None:
    summary = fitted.summary()
    assert summary["log_likelihood"] == pytest.approx(-14.3357541297932, rel=PUBLISHED)
    assert summary["null_log_likelihood"] == pytest.approx(-22.493606309618, rel=PUBLISHED)
    assert summary["aic"] == pytest.approx(2 * 2 + 2 * 14.3357541297932, rel=PUBLISHED)
    assert summary["even_odds_value"] == pytest.approx(51.0141294194762, rel=PUBLISHED)
    assert summary["accuracy"] == 25 / 33
    assert summary["binary_brier_loss"] == pytest.approx(0.144964289, rel=PRINTED_LOW * 10)
    assert summary["auroc"] == pytest.approx(0.877819549, rel=PRINTED_LOW)


def test_rows_name_every_figure_and_leave_the_intercept_without_odds_ratio(fitted: Coefficients) -> None:
    rows = fitted.rows()
    assert [row["name"] for row in rows] == ["intercept", "age"]
    assert [name for name, value in rows[0].items() if value is None] == [
        "odds_ratio",
        "odds_ratio_wald_low",
        "odds_ratio_wald_high",
        "odds_ratio_profile_low",
        "odds_ratio_profile_high",
    ]
    assert None not in rows[1].values()


def test_the_error_of_the_even_odds_value_is_that_of_a_model_in_its_terms(
    chd: Any, fitted: Coefficients
) -> None:
    """The same curve written as slope * (age - middle) has the standard error of the middle directly."""
    ages, labels = chd.inputs[:, 0], chd.labels

    def log_likelihood(parameters: np.ndarray) -> float:
        logits = parameters[1] * (ages - parameters[0])
        return float((labels * logits - np.logaddexp(0, logits)).sum())

    summary = fitted.summary()
    curvature = approx_hess(np.array([summary["even_odds_value"], fitted.table[1].estimate]), log_likelihood)
    expected = np.sqrt(np.linalg.inv(-curvature)[0, 0])
    assert summary["even_odds_standard_error"] == pytest.approx(expected, rel=NUMERICAL)


@pytest.mark.parametrize("standardize", [True, False])
def test_many_columns_agree_with_a_fit_in_the_original_units(
    three_columns: tuple[np.ndarray, np.ndarray], standardize: bool
) -> None:
    inputs, labels = three_columns
    found = coefficients(**given(inputs, labels, standardize=standardize))
    reference = sm.Logit(labels, sm.add_constant(inputs)).fit(disp=0, tol=NEWTON, maxiter=100)
    figures = np.array([row[1:7] for row in found.table], dtype=float)
    expected = np.column_stack(
        [reference.params, reference.bse, reference.tvalues, reference.pvalues, reference.conf_int()]
    )
    np.testing.assert_allclose(figures, expected, rtol=1e-7)
    assert set(found.summary()).isdisjoint({"even_odds_value", "even_odds_standard_error"})


def test_profile_ends_are_where_a_likelihood_ratio_test_has_p_of_five_percent(
    three_columns: tuple[np.ndarray, np.ndarray],
) -> None:
    inputs, labels = three_columns
    found = coefficients(**given(inputs, labels))
    for place in range(3):
        for end in found.table[place + 1][10:12]:
            slope = np.log(float(end or 0.0))
            others = sm.add_constant(np.delete(inputs, place, axis=1))
            offset = slope * (inputs[:, place] - inputs[:, place].mean())
            restricted = sm.GLM(labels, others, family=sm.families.Binomial(), offset=offset).fit(tol=1e-12)
            deviance = 2 * (found.summary()["log_likelihood"] - restricted.llf)
            # The upper five percent of chi-squared with one degree of freedom.
            assert deviance == pytest.approx(3.841458820694124, rel=1e-6)


def test_weights_that_are_no_optimum_are_refused(chd: Any) -> None:
    arguments = given(chd.inputs, chd.labels)
    with pytest.raises(TrainingError) as refusal:
        coefficients(**arguments | {"weight": arguments["weight"] * 0.9})
    assert str(refusal.value).startswith(
        "coefficients: expected weights within 0.001 standard errors of the unpenalised optimum, got 0."
    )
    assert str(refusal.value).endswith(
        "standard errors. Fit with optimizer=lbfgs, objective.l1=0, objective.l2=0 and"
        " trainer.precision=64-true."
    )


def test_weights_rounded_to_float32_are_near_enough(chd: Any) -> None:
    arguments = given(chd.inputs, chd.labels)
    rounded = arguments["weight"].astype(np.float32).astype(np.float64)
    assert coefficients(**arguments | {"weight": rounded}).table[1].estimate == pytest.approx(
        0.131502027083233, rel=1e-6
    )


def test_dependent_columns_are_refused(chd: Any) -> None:
    arguments = given(chd.inputs, chd.labels)
    twice = {name: np.repeat(arguments[name], 2, axis=-1) for name in ("inputs_raw", "weight", "mean", "sd")}
    with pytest.raises(TrainingError) as refusal:
        coefficients(**arguments | twice | {"column_names": ["age", "again"]})
    assert str(refusal.value) == (
        "coefficients: expected 3 independent columns, the constant among them, got 2."
        " Leave out columns that are constant or sums of others."
    )


@pytest.mark.parametrize(
    ("slope", "told"),
    [
        (20.0, ", column dose: expected a likelihood with a peak, got one that is as good as flat 64"),
        (40.0, ": expected a likelihood with a peak, got one that is flat in some direction. "),
    ],
)
def test_a_likelihood_without_a_peak_is_refused(slope: float, told: str) -> None:
    doses = np.array([[0.0], [1.0], [2.0], [2.0], [3.0], [4.0]])
    with pytest.raises(TrainingError) as refusal:
        coefficients(
            inputs_raw=doses,
            labels=np.array([0, 0, 0, 1, 1, 1]),
            weight=np.array([slope]),
            bias=-2.0 * slope,
            mean=np.zeros(1),
            sd=np.ones(1),
            column_names=["dose"],
        )
    assert str(refusal.value).startswith(f"coefficients{told}")
    assert str(refusal.value).endswith("Look at the separability verdict; set objective.l2.")
