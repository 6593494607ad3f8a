"""Curved log odds: a cubic is a spline without an inner knot, and the test is the one of the textbooks."""

import csv
from pathlib import Path

import numpy as np
import pytest
import statsmodels.api as sm

from experiments.basis_functions.__main__ import (
    BASES,
    LINEAR,
    Basis,
    Fit,
    fitted,
    likelihood_ratio_p,
    main,
)
from experiments.chd.people import people

# One optimum by two routes.
SAME = 1e-9
CUBIC = next(basis for basis in BASES if basis.label == "cubic")
NO_KNOT = Basis("cubic spline", ("features=spline", "features.n_knots=2", "features.degree=3"), 3, True)


@pytest.fixture(scope="module")
def fits(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Fit]:
    root = tmp_path_factory.mktemp("basis")
    return {basis.label: fitted(root, basis, 33) for basis in (LINEAR, CUBIC, NO_KNOT)}


def test_two_bases_of_the_same_curves_give_the_same_fit(fits: dict[str, Fit]) -> None:
    assert fits["cubic"].log_likelihood == pytest.approx(fits["cubic spline"].log_likelihood, rel=SAME)
    cubic, spline = (np.array(fits[name].curve) for name in ("cubic", "cubic spline"))
    assert cubic == pytest.approx(spline, abs=1e-6)


def test_likelihoods_and_their_ratio_are_statsmodels(fits: dict[str, Fit]) -> None:
    told = people()
    age = (told.ages - told.ages.mean()) / told.ages.std()
    design = np.column_stack([np.ones(33), age, age**2, age**3])
    cubic = sm.Logit(told.outcomes, design).fit(disp=0, tol=1e-12)
    linear = sm.Logit(told.outcomes, design[:, :2]).fit(disp=0, tol=1e-12)
    assert fits["cubic"].log_likelihood == pytest.approx(cubic.llf, rel=SAME)
    assert fits["linear"].log_likelihood == pytest.approx(linear.llf, rel=SAME)
    # statsmodels tests against the constant alone.
    constant = Fit(Basis("constant", (), 0, False), cubic.llnull, [])
    assert likelihood_ratio_p(constant, fits["cubic"]) == pytest.approx(cubic.llr_pvalue, rel=1e-6)
    assert likelihood_ratio_p(constant, fits["linear"]) == pytest.approx(linear.llr_pvalue, rel=1e-6)


def test_a_basis_without_straight_lines_is_never_tested_against_one() -> None:
    assert [basis.label for basis in BASES if not basis.nests_linear] == [
        "linear",
        "radial, 3 centres",
        "radial, 5 centres",
    ]


@pytest.mark.slow
def test_the_whole_experiment_on_two_folds(tmp_path: Path) -> None:
    main(tmp_path, tmp_path / "mlruns", (LINEAR, CUBIC), ["data.num_folds=2", "study.num_seeds=1"])
    with (tmp_path / "results.csv").open() as file:
        linear, cubic = csv.DictReader(file)
    assert (linear["num_folds_tested"], cubic["num_folds_tested"]) == ("2", "2")
    assert (linear["likelihood_ratio_p"], cubic["num_parameters"]) == ("", "4")
    assert float(cubic["likelihood_ratio_p"]) == pytest.approx(0.300076, abs=1e-6)
    assert {path.name for path in (tmp_path / "figures").glob("*.svg")} == {
        "distribution.svg",
        "fitted_curves.svg",
    }
