"""Profile-likelihood intervals, which hold where Wald's, symmetric by construction, do not."""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize import brentq
from scipy.stats import chi2
from statsmodels.genmod.families import Binomial
from statsmodels.genmod.generalized_linear_model import GLM

from seedbed.errors import TrainingError

Interval = tuple[float, float]

THRESHOLD = float(chi2.ppf(0.95, df=1))
# Standard errors from the estimate at which an end is looked for before the peak is called flat.
FIRST_REACH, LAST_REACH = 2.0, 64.0
# Share of a standard error that an end may be off, and change of deviance at which a fit stops.
END_TOLERANCE, FIT_TOLERANCE = 1e-10, 1e-12


def profile_interval(fit: Any, place: int, name: str) -> Interval:
    """The 95 % interval of one weight: values that a likelihood-ratio test does not refuse.

    For each value tried the other weights are fitted anew.

    Args:
        fit: statsmodels' logistic results at the optimum.
        place: of the weight among the fit's parameters.
        name: of the column, for the message.

    Raises:
        TrainingError: where the likelihood does not fall far enough on a side.

    Source: Venzon and Moolgavkar (1988), "A method for computing profile-likelihood-based
    confidence intervals".
    """
    design, labels = fit.model.exog, fit.model.endog
    others = np.delete(design, place, axis=1)

    def excess(value: float) -> float:
        model = GLM(labels, others, family=Binomial(), offset=value * design[:, place])
        with np.errstate(over="ignore"):  # where exp is infinite, the probability is rightly 0
            profile = model.fit(tol=FIT_TOLERANCE).llf
        return float(2.0 * (fit.llf - profile) - THRESHOLD)

    estimate, error = float(fit.params[place]), float(fit.bse[place])
    return _end(excess, estimate, -error, name), _end(excess, estimate, error, name)


def _end(excess: Callable[[float], float], estimate: float, step: float, name: str) -> float:
    reach = FIRST_REACH
    while excess(estimate + reach * step) < 0.0:
        reach *= 2.0
        if reach > LAST_REACH:
            raise TrainingError(
                f"coefficients, column {name}",
                expected="a likelihood with a peak",
                got=f"one that is as good as flat {LAST_REACH:.0f} standard errors away",
                do="Look at the separability verdict; set objective.l2.",
            )
    return float(brentq(excess, estimate, estimate + reach * step, xtol=END_TOLERANCE * abs(step)))
