"""The lecture's first case: Seedbed's fit against the lecture's figures, resampling against scikit-learn."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.stats import norm
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import LeaveOneOut, cross_val_predict

from experiments.chd import __main__ as chd
from experiments.chd import descent, refit
from experiments.chd.people import People, in_log_odds, people, shares

# Computed with 50 digits; a float64 optimum that is shifted back to raw years keeps eleven of them.
KNOWN = 1e-9
# Printed with nine digits.
PRINTED = 1e-8
# scikit-learn stops at a gradient of 1e-8.
SKLEARN = 1e-6


@pytest.fixture(scope="module")
def told() -> People:
    return people()


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("chd")
    chd.main(out, out / "mlruns", num_resamples=10)
    return out


@pytest.fixture(scope="module")
def results(written: Path) -> dict[tuple[str, str], dict[str, str]]:
    with (written / "results.csv").open() as file:
        return {(row["quantity"], row["interval"]): row for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def optimum(told: People) -> refit.Weights:
    found = refit.refitted(told)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("quantity", "method", "value", "precision"),
    [
        ("intercept", "Wald", -6.70846142854752, KNOWN),
        ("slope a year", "Wald", 0.131502027083233, KNOWN),
        ("odds ratio a year", "Wald", 1.14054021968998, KNOWN),
        ("age at P = 0.5", "Fieller", 51.0141294194762, KNOWN),
        ("log-likelihood", "", -14.3357541297932, KNOWN),
        ("accuracy, same people", "", 25 / 33, KNOWN),
        ("AUC, same people", "", 0.877819549, PRINTED),
        ("Brier, same people", "", 0.144964289, PRINTED),
        ("condition number of the Hessian, raw age", "", 66820.6, 1e-6),
        ("condition number of the Hessian, standardised age", "", 2.677, 2e-4),
        ("steps of 1/L to a relative error of 1e-6, standardised age", "", 51, 0),
        ("relative error after 400000 steps of 1/L, raw age", "", 0.013, 0.04),
    ],
)
def test_the_record_of_one_run_gives_the_lectures_figures(
    results: Any, quantity: str, method: str, value: float, precision: float
) -> None:
    assert float(results[quantity, method]["value"]) == pytest.approx(value, rel=precision)


@pytest.mark.parametrize(
    ("quantity", "method", "low", "high"),
    [
        ("odds ratio a year", "Wald", 1.041518563, 1.248976292),
        ("odds ratio a year", "profile likelihood", 1.058826077, 1.279876195),
    ],
)
def test_its_intervals_are_the_lectures(
    results: Any, quantity: str, method: str, low: float, high: float
) -> None:
    row = results[quantity, method]
    assert (float(row["low"]), float(row["high"])) == pytest.approx((low, high), rel=PRINTED)


def test_every_figure_has_its_numbers_beside_it(written: Path) -> None:
    names = ["dose_response", "histograms", "likelihood_surface", "log_odds", "straight_line"]
    assert sorted(path.name for path in (written / "figures").iterdir()) == sorted(
        f"{name}.{ending}" for name in names for ending in ("csv", "svg")
    )


def test_the_decades_are_the_lectures_table_2(told: People) -> None:
    assert [(group.num_true, group.num) for group in shares(told)] == [
        (0, 5),
        (1, 6),
        (2, 7),
        (4, 7),
        (4, 5),
        (2, 2),
        (1, 1),
    ]


def test_wilsons_ends_are_the_shares_that_a_score_test_just_refuses(told: People) -> None:
    for group in shares(told):
        for end in (group.low, group.high):
            error = np.sqrt(end * (1 - end) / group.num)
            assert abs(group.value - end) == pytest.approx(norm.ppf(0.975) * error, abs=1e-12)


def test_a_group_all_of_one_outcome_has_infinite_log_odds(told: People) -> None:
    youngest, *_, oldest = map(in_log_odds, shares(told))
    assert (youngest.value, youngest.low) == (-np.inf, -np.inf)
    assert (oldest.value, oldest.high) == (np.inf, np.inf)
    assert youngest.high < 0
    assert np.isfinite(oldest.low)


def test_the_straight_line_is_that_of_least_squares(told: People) -> None:
    fit = sm.OLS(told.outcomes, sm.add_constant(told.ages)).fit()
    assert chd.least_squares(told) == pytest.approx(fit.params, rel=KNOWN)


def test_leave_one_out_is_scikit_learns(told: People) -> None:
    unpenalised = LogisticRegression(C=np.inf, tol=1e-10, solver="newton-cholesky", max_iter=100)
    ages = told.ages[:, None]
    p = cross_val_predict(unpenalised, ages, told.outcomes, cv=LeaveOneOut(), method="predict_proba")[:, 1]
    found = refit.leave_one_out(told)
    assert found.probabilities == pytest.approx(p, rel=SKLEARN)
    assert found.accuracy == accuracy_score(told.outcomes, p > 0.5)
    assert found.log_loss == pytest.approx(log_loss(told.outcomes, p), rel=SKLEARN)


def test_a_resample_is_fitted_as_statsmodels_fits_it(told: People) -> None:
    places = np.random.default_rng(0).integers(33, size=33)
    drawn = told.drawn(places)
    fit = sm.Logit(drawn.outcomes, sm.add_constant(drawn.ages)).fit(disp=0, tol=1e-12)
    assert refit.refitted(drawn) == pytest.approx(fit.params, rel=KNOWN)
    assert refit.bootstrap(told, 1, seed=0).slopes == pytest.approx(fit.params[1:], rel=KNOWN)


def test_a_resample_without_an_optimum_counts_as_an_infinite_slope(told: People) -> None:
    parted = told.drawn(np.flatnonzero((told.ages < 35) | (told.ages > 61)))
    assert refit.refitted(parted) is None
    low, high = refit.percentile_interval(np.arange(1.0, 97.0), num_infinite=4)
    assert (low, high) == (3.0, np.inf)
    assert refit.percentile_interval(np.arange(1.0, 101.0)) == (3.0, 98.0)


def test_fifty_one_steps_and_no_fewer(told: People, optimum: refit.Weights) -> None:
    scaled = told._replace(ages=(told.ages - told.ages.mean()) / told.ages.std())
    ends = np.array([optimum.intercept + optimum.slope * told.ages.mean(), optimum.slope * told.ages.std()])
    found = descent.descend(scaled, ends, 60)
    assert found.num_steps_to(1e-6) == 51
    assert descent.descend(scaled, ends, 50).num_steps_to(1e-6) is None
    assert descent.largest_curvature(scaled.ages) == pytest.approx(0.25, rel=KNOWN)


def test_a_step_never_goes_up_and_only_the_kept_ones_are_told(told: People, optimum: refit.Weights) -> None:
    ends = np.array(optimum)
    found = descent.descend(told, ends, 1000, [0, 1, 10, 1000])
    assert found.path.shape == (4, 2)
    assert (np.diff(descent.mean_loss(told, found.path)) < 0).all()
    whole = descent.descend(told, ends, 10)
    assert np.array_equal(whole.path[[0, 1, 10]], found.path[:3])
