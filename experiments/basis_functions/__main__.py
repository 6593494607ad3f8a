"""The lecture's second case: heart disease by age with curved log odds, chosen by cross-validation.

python -m experiments.basis_functions --out FOLDER
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.stats import chi2
from statsmodels.stats.multitest import multipletests

from experiments.chd.people import people
from experiments.lecture import (
    Rows,
    options,
    predictor_of,
    store_folder,
    studied,
    trained,
    write_pictures,
    write_rows,
)
from seedbed.picture.dose import Curve, Dots, Words, fitted_curves
from seedbed.picture.picture import Picture
from seedbed.picture.settings import Group, distribution
from seedbed.track.store import Store
from seedbed.verdict.compare import Comparison, compare
from seedbed.verdict.find import filtered
from seedbed.verdict.setting import Setting

EXPERIMENT = "experiment=basis_functions"
# The same fit on all people: the study's folds and strategy do not apply, and the model is kept.
ALL_PEOPLE = ("data.num_folds=null", "track.log_model=true")
AGES = np.linspace(22.0, 81.0, 119)  # the youngest to the oldest: curves beyond them mean nothing
METRIC = "test/loss"


class Basis(NamedTuple):
    """One set of basis functions.

    Args:
        label: for people.
        overrides: what chooses it.
        num_features: how many there are, beside the intercept.
        nests_linear: whether the straight line is one of its curves, so that a likelihood ratio of the
            two has a chi-squared distribution.
    """

    label: str
    overrides: tuple[str, ...]
    num_features: int
    nests_linear: bool


LINEAR = Basis("linear", (), 1, False)
# Radial functions are bumps, none of which is straight: against them no likelihood-ratio test holds. A
# spline of degree 1 or more is straight where its coefficients are.
BASES = (
    LINEAR,
    Basis("quadratic", ("features=polynomial", "features.degree=2"), 2, True),
    Basis("cubic", ("features=polynomial", "features.degree=3"), 3, True),
    Basis("radial, 3 centres", ("features=radial", "features.n_components=3"), 3, False),
    Basis("radial, 5 centres", ("features=radial", "features.n_components=5"), 5, False),
    Basis(
        "quadratic spline, 1 knot", ("features=spline", "features.n_knots=3", "features.degree=2"), 3, True
    ),
)


class Fit(NamedTuple):
    """A basis fitted to all people: their summed log-likelihood in nats, and the curve over `AGES`."""

    basis: Basis
    log_likelihood: float
    curve: list[float]


def fitted(root: Path, basis: Basis, num_people: int) -> Fit:
    """`seedbed train` on all people, read back from its record."""
    outcome = trained(root, [EXPERIMENT, *ALL_PEOPLE, *basis.overrides])
    curve = predictor_of(root, outcome.run_id, AGES[:, None])[:, 1]
    return Fit(basis, -num_people * outcome.metrics["train/loss"], curve.tolist())


def likelihood_ratio_p(smaller: Fit, larger: Fit) -> float:
    """p value of the smaller model, whose curves are all curves of the larger one, too.

    Source: Wilks (1938), "The large-sample distribution of the likelihood ratio".
    """
    deviance = 2 * (larger.log_likelihood - smaller.log_likelihood)
    return float(chi2.sf(deviance, larger.basis.num_features - smaller.basis.num_features))


def cross_validated(root: Path, bases: Sequence[Basis], extra: Sequence[str]) -> Comparison:
    """All bases over the same folds, one study each, as `seedbed compare` compares them."""
    for basis in bases:
        studied(root, [EXPERIMENT, *basis.overrides, *extra])
    return compare(filtered(Store.open(root), ""), METRIC)


def rows_of(fits: Sequence[Fit], compared: Comparison) -> Rows:
    """One row a basis: likelihood, test against the straight line, cross-validation."""
    tested = [fit for fit in fits if fit.basis.nests_linear]
    raw = [likelihood_ratio_p(fits[0], fit) for fit in tested]
    holm = multipletests(raw, method="holm")[1]
    p_values = {fit.basis.label: pair for fit, *pair in zip(tested, raw, holm.tolist(), strict=True)}
    return [_row(fit, compared, *p_values.get(fit.basis.label, (None, None))) for fit in fits]


def _row(fit: Fit, compared: Comparison, p_value: float | None, holm: float | None) -> dict[str, object]:
    setting = next(row for row in compared.rows if _is(fit.basis, row))
    told = setting.description
    accuracy = [run.metrics["test/accuracy"] for run in setting.runs]
    return {
        "basis": fit.basis.label,
        "num_parameters": fit.basis.num_features + 1,
        "log_likelihood": fit.log_likelihood,
        "aic": 2 * (fit.basis.num_features + 1) - 2 * fit.log_likelihood,
        "likelihood_ratio_p": p_value,
        "likelihood_ratio_p_holm": holm,
        "cv_loss": told.mean,
        "cv_loss_low": told.low,
        "cv_loss_high": told.high,
        "cv_accuracy": float(np.mean(accuracy)),
        "num_folds_tested": len(setting.values),
    }


def _is(basis: Basis, setting: Setting) -> bool:
    """Whether a setting's runs were made with this basis."""
    wanted = dict(override.split("=") for override in basis.overrides)
    params = setting.runs[0].params
    return all(params.get(key) == wanted.get(key) for key in ("features", *wanted))


def pictures(fits: Sequence[Fit], compared: Comparison) -> list[Picture]:
    """The curves over all people, and the loss of every fold."""
    told = people()
    dots = Dots(told.ages.tolist(), told.outcomes.tolist())
    curves = [Curve(fit.basis.label, AGES.tolist(), fit.curve) for fit in fits]
    groups = [
        Group(
            next(fit.basis.label for fit in fits if _is(fit.basis, row)),
            row.values.tolist(),
            row.description.mean,
            row.description.low,
            row.description.high,
        )
        for row in compared.rows
    ]
    words = Words("age (years)", "coronary heart disease")
    return [
        fitted_curves(dots, curves, words),
        distribution(groups, "log loss on the 3 people of a fold (nats)"),
    ]


def main(out: Path, root: Path, bases: Sequence[Basis] = BASES, extra: Sequence[str] = ()) -> None:
    """Writes results.csv, verdicts.md and figures/ into a folder."""
    num_people = len(people().ages)
    fits = [fitted(root / "whole", basis, num_people) for basis in bases]
    compared = cross_validated(root / "folds", bases, extra)
    write_pictures(out / "figures", pictures(fits, compared))
    write_rows(out / "results.csv", rows_of(fits, compared))
    (out / "verdicts.md").write_text(compared.markdown())


if __name__ == "__main__":
    asked = options("basis_functions", __doc__).parse_args()
    with store_folder(asked.root) as folder:
        main(asked.out, folder)
