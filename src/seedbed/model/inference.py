"""What a fitted logistic regression says about each column: how much, and how surely.

In the original units of the columns, whatever the model was fitted on. Standard errors, tests, Wald
intervals and likelihoods are statsmodels' own, evaluated at the fitted weights; the profile intervals,
which it does not have, are built on its fits. All of it presumes an unpenalised fit at its optimum,
hence classes that overlap (`separability`).
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float64, Int64
from scipy.special import xlogy
from sklearn.metrics import roc_auc_score
from statsmodels.discrete.discrete_model import Logit

from seedbed.errors import TrainingError
from seedbed.model.profile import Interval, profile_interval

Table = Float64[np.ndarray, "example column"]
Classes = Int64[np.ndarray, " example"]
Columns = Float64[np.ndarray, " column"]
Weights = Float64[np.ndarray, " coefficient"]
Map = Float64[np.ndarray, "coefficient coefficient"]

# A Newton step from the optimum's neighbourhood moves no combination of weights by more than this
# many of its standard errors: less than any interval is quoted to.
OPTIMUM_TOLERANCE = 1e-3


class Row(NamedTuple):
    """One coefficient. Intervals are of 95 %; odds ratios are for one more unit of the column."""

    name: str
    estimate: float
    standard_error: float
    wald_z: float
    p_value: float
    wald_low: float
    wald_high: float
    odds_ratio: float | None = None
    odds_ratio_wald_low: float | None = None
    odds_ratio_wald_high: float | None = None
    odds_ratio_profile_low: float | None = None
    odds_ratio_profile_high: float | None = None


class Coefficients(NamedTuple):
    """The intercept, a coefficient a column, how they vary together, and how well they fit.

    Args:
        table: the intercept, then a row a column.
        measures: see `summary`.
        covariance: of the table's estimates, row by row, in their units; from the curvature of the
            log-likelihood, as the standard errors are.
    """

    table: tuple[Row, ...]
    measures: dict[str, float]
    covariance: tuple[tuple[float, ...], ...]

    def rows(self) -> list[dict[str, str | float | None]]:
        """One mapping a coefficient for a CSV file, the intercept first; that has no odds ratio."""
        return [row._asdict() for row in self.table]

    def summary(self) -> dict[str, float]:
        """Figures of the fit, on the examples that it was fitted on.

        log_likelihood and null_log_likelihood (of the base rate alone) in nats; aic; accuracy at
        p = 0.5; auroc; binary_brier_loss, the mean of (p - y)^2 with p that of class 1, half of the
        sum over both classes; and, for a single column, even_odds_value, where p = 0.5, with
        even_odds_standard_error by the delta method.
        """
        return dict(self.measures)


def coefficients(
    inputs_raw: Table,
    labels: Classes,
    weight: Columns,
    bias: float,
    mean: Columns,
    sd: Columns,
    column_names: Sequence[str],
) -> Coefficients:
    """Inference for a logistic regression that was fitted without a penalty.

    Args:
        inputs_raw: columns in their original units.
        labels: 0 or 1.
        weight: slope of each standardised column, (column - mean) / sd.
        bias: intercept beside these slopes.
        mean: what was subtracted from each column before the fit, 0 for nothing.
        sd: what each column was divided by, 1 for nothing.
        column_names: one a column.

    Raises:
        TrainingError: where the columns do not determine the weights, the weights are not the
            optimum, or the likelihood has no peak.

    Source: Hosmer and Lemeshow (2000), "Applied logistic regression", chapters 1 to 3.
    """
    fit = _evaluated((inputs_raw - mean) / sd, labels, np.append(bias, weight))
    _check_optimum(fit)
    to_raw = _to_raw(mean, sd)
    table = _intercept_and_slopes(fit, to_raw, column_names)
    profiles = [profile_interval(fit, place + 1, name) for place, name in enumerate(column_names)]
    slopes = [
        _with_odds_ratio(row, (low / unit, high / unit))
        for row, (low, high), unit in zip(table[1:], profiles, sd.tolist(), strict=True)
    ]
    covariance = tuple(map(tuple, (to_raw @ fit.cov_params() @ to_raw.T).tolist()))
    return Coefficients((table[0], *slopes), _measures(fit) | _even_odds(fit, to_raw), covariance)


def _evaluated(standardised: Table, labels: Classes, weights: Weights) -> Any:
    """What statsmodels makes of a fit at the given weights; it makes no step of its own."""
    design = np.hstack([np.ones((len(labels), 1)), standardised])
    rank = int(np.linalg.matrix_rank(design))
    if rank < design.shape[1]:
        raise TrainingError(
            "coefficients",
            expected=f"{design.shape[1]} independent columns, the constant among them",
            got=f"{rank}",
            do="Leave out columns that are constant or sums of others.",
        )
    model = Logit(labels, design)
    try:
        return model.fit(start_params=weights, method="newton", maxiter=0, disp=0, warn_convergence=False)
    except np.linalg.LinAlgError as error:
        raise TrainingError(
            "coefficients",
            expected="a likelihood with a peak",
            got="one that is flat in some direction",
            do="Look at the separability verdict; set objective.l2.",
        ) from error


def _check_optimum(fit: Any) -> None:
    slope = fit.model.score(fit.params)
    # Newton decrement: how far the optimum is, in standard errors of the farthest combination.
    distance = float(np.sqrt(slope @ fit.cov_params() @ slope))
    if not distance <= OPTIMUM_TOLERANCE:
        raise TrainingError(
            "coefficients",
            expected=f"weights within {OPTIMUM_TOLERANCE} standard errors of the unpenalised optimum",
            got=f"{distance:.3g} standard errors",
            do="Fit with optimizer=lbfgs, objective.l1=0, objective.l2=0 and trainer.precision=64-true.",
        )


def _to_raw(mean: Columns, sd: Columns) -> Map:
    """From (bias, slopes) of standardised columns to (intercept, slopes) of the original ones."""
    to_raw = np.diag(np.append(1.0, 1.0 / sd))
    to_raw[0, 1:] = -mean / sd
    return to_raw


def _intercept_and_slopes(fit: Any, to_raw: Map, column_names: Sequence[str]) -> list[Row]:
    test = fit.t_test(to_raw)
    figures = np.column_stack([test.effect, test.sd, test.tvalue, test.pvalue, test.conf_int()])
    return [Row(name, *row) for name, row in zip(["intercept", *column_names], figures.tolist(), strict=True)]


def _with_odds_ratio(row: Row, profile: Interval) -> Row:
    ends = (row.estimate, row.wald_low, row.wald_high, *profile)
    return Row(*row[:7], *np.exp(ends).tolist())


def _measures(fit: Any) -> dict[str, float]:
    probabilities, labels = fit.predict(), fit.model.endog
    rate = labels.mean()
    return {
        "log_likelihood": float(fit.llf),
        # Not statsmodels' own, which is fitted and has ten digits.
        "null_log_likelihood": float(len(labels) * (xlogy(rate, rate) + xlogy(1 - rate, 1 - rate))),
        "aic": float(fit.aic),
        "accuracy": float(np.mean((probabilities > 0.5) == labels)),
        "auroc": float(roc_auc_score(labels, probabilities)),
        "binary_brier_loss": float(np.mean((probabilities - labels) ** 2)),
    }


def _even_odds(fit: Any, to_raw: Map) -> dict[str, float]:
    """Where the fitted probability of a single column's model is one half: -intercept / slope."""
    if len(to_raw) != 2:
        return {}
    intercept, slope = to_raw @ fit.params
    gradient = np.array([-1.0 / slope, intercept / slope**2]) @ to_raw
    variance = gradient @ fit.cov_params() @ gradient
    return {
        "even_odds_value": float(-intercept / slope),
        "even_odds_standard_error": float(np.sqrt(variance)),
    }
