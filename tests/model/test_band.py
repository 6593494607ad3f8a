"""The band against statsmodels' own, the interval against the curve that it comes from."""

from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.stats import norm

from seedbed.model.band import Band, Line, band, even_odds_interval
from seedbed.model.inference import coefficients
from tests.model.test_inference import given

# Two routes to one number in double precision.
SAME = 1e-8
AGES = np.linspace(20.0, 85.0, 14)


@pytest.fixture(scope="module")
def line(chd: Any) -> Line:
    found = coefficients(**given(chd.inputs, chd.labels) | {"column_names": ["age"]})
    intercept, slope = found.table
    return Line(intercept.estimate, slope.estimate, np.array(found.covariance))


def test_the_band_is_statsmodels_own(chd: Any, line: Line) -> None:
    fit = sm.GLM(chd.labels, sm.add_constant(chd.inputs), family=sm.families.Binomial()).fit(tol=1e-14)
    expected = fit.get_prediction(sm.add_constant(AGES)).summary_frame(alpha=0.05)
    found = band(line, AGES).probabilities()
    for part, column in zip(found, ("mean", "mean_ci_lower", "mean_ci_upper"), strict=True):
        assert part == pytest.approx(expected[column].to_numpy(), rel=SAME)


def test_the_covariance_holds_the_standard_errors_of_the_table(chd: Any) -> None:
    found = coefficients(**given(chd.inputs, chd.labels) | {"column_names": ["age"]})
    errors = [row.standard_error for row in found.table]
    assert np.sqrt(np.diag(found.covariance)) == pytest.approx(errors, rel=SAME)


def test_the_band_stays_between_zero_and_one_where_an_interval_on_probabilities_would_not(line: Line) -> None:
    found = band(line, np.array([0.0, 120.0])).probabilities()
    assert isinstance(found, Band)
    assert 0 < found.low.min() < found.high.max() < 1


def test_fiellers_ends_are_where_the_band_crosses_one_half(line: Line) -> None:
    ends = even_odds_interval(line)
    assert ends is not None
    low, high = ends
    assert low < -line.intercept / line.slope < high
    at_the_ends = band(line, np.array([low, high]))
    # The curve rises: at the lower end it is the band's upper edge that reaches one half.
    assert (at_the_ends.high[0], at_the_ends.low[1]) == pytest.approx((0.0, 0.0), abs=SAME)


def test_without_a_slope_there_is_no_interval() -> None:
    z = float(norm.ppf(0.975))
    flat = np.array([[0.01, 0.0], [0.0, 1.0]])
    assert even_odds_interval(Line(-1.0, z - 1e-6, flat)) is None
    assert even_odds_interval(Line(-1.0, z + 1e-6, flat)) is not None
