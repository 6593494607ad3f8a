"""The lecture's first case: one fit by Seedbed, and everything that 33 people can tell about it.

python -m experiments.chd --out FOLDER
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from experiments.chd import descent, refit
from experiments.chd.people import Ages, People, in_log_odds, people, shares
from experiments.lecture import options, store_folder, table, trained, write_pictures, write_rows
from seedbed.model.band import Band, Line, band, even_odds_interval
from seedbed.picture import dose, surface
from seedbed.picture.histogram import Histogram, Words, histograms
from seedbed.picture.picture import Picture

WORDS = dose.Words("age (years)", "coronary heart disease")
AGES = np.linspace(18.0, 86.0, 137)
NUM_RAW, NUM_STANDARDISED = 400_000, 51
STEPS_DRAWN = [0, *sorted({round(10 ** (power / 4)) for power in range(23)}), NUM_RAW]
NUM_GRID, NUM_BINS = 41, 40
Z = 1.959963984540054  # the normal distribution's 0.975 quantile
Row = dict[str, str | float | None]


class Fit(NamedTuple):
    """What the record of one run says.

    Args:
        line: intercept, slope and their covariance, in years.
        figures: its metrics.
        age: the row of the slope in fit/coefficients.csv.
    """

    line: Line
    figures: dict[str, float]
    age: dict[str, float]


def fitted(root: Path) -> Fit:
    """`seedbed train experiment=chd`, read back from its record."""
    outcome = trained(root, ["experiment=chd"])
    intercept, age = table(root, outcome.run_id, "fit/coefficients.csv")
    covariance = [
        [float(row["intercept"]), float(row["age"])]
        for row in table(root, outcome.run_id, "fit/covariance.csv")
    ]
    line = Line(float(intercept["estimate"]), float(age["estimate"]), np.array(covariance))
    numbers = {name: float(value) for name, value in age.items() if name != "name"}
    return Fit(line, dict(outcome.metrics), numbers)


def least_squares(told: People) -> np.ndarray:
    """Intercept and slope of the straight line through the zeros and ones."""
    slope, intercept = np.polyfit(told.ages, told.outcomes, 1)
    return np.array([intercept, slope])


def curves(told: People, fit: Fit) -> list[Picture]:
    """People and groups with the sigmoid, the straight line beside it, and the log odds."""
    dots = dose.Dots(told.ages.tolist(), told.outcomes.tolist())
    log_odds = band(fit.line, AGES)
    sigmoid = _curve("sigmoid", log_odds.probabilities())
    ends = even_odds_interval(fit.line)
    assert ends is not None, "the slope differs from 0"
    crossing = dose.Crossing(fit.figures["fit/even_odds_value"], *ends)
    intercept, slope = least_squares(told)
    straight = dose.Curve(
        "straight line of least squares", AGES.tolist(), (intercept + slope * AGES).tolist()
    )
    groups = shares(told)
    return [
        dose.dose_response(dots, groups, sigmoid, crossing, WORDS),
        dose.straight_line(dots, sigmoid, straight, WORDS),
        dose.log_odds([in_log_odds(group) for group in groups], _curve("fitted line", log_odds), WORDS),
    ]


def _curve(label: str, told: Band) -> dose.Curve:
    return dose.Curve(label, AGES.tolist(), *(part.tolist() for part in told))


def standardised(told: People, line: Line) -> tuple[People, np.ndarray]:
    """The same people with ages of mean 0 and standard deviation 1, and the optimum in these terms."""
    mean, sd = told.ages.mean(), told.ages.std()
    optimum = np.array([line.intercept + line.slope * mean, line.slope * sd])
    return told._replace(ages=(told.ages - mean) / sd), optimum


def surfaces(told: People, line: Line) -> tuple[Picture, list[Row]]:
    """The loss over both weights with the descent on raw and on standardised age; how far each got."""
    raw_optimum = np.array([line.intercept, line.slope])
    scaled, optimum = standardised(told, line)
    raw_way = descent.descend(told, raw_optimum, NUM_RAW, STEPS_DRAWN)
    way = descent.descend(scaled, optimum, NUM_STANDARDISED)
    drawn = [
        _surface(f"raw age, {NUM_RAW:,} steps", "year", told, raw_optimum, raw_way, ((-9, 1), (-0.03, 0.2))),
        _surface(
            f"standardised, {len(way.steps) - 1} steps", "sd", scaled, optimum, way, ((-2, 1), (-0.5, 3.5))
        ),
    ]
    rows: list[Row] = [
        _row("condition number of the Hessian, raw age", descent.condition_number(told, raw_optimum)),
        _row("condition number of the Hessian, standardised age", descent.condition_number(scaled, optimum)),
        _row("steps of 1/L to a relative error of 1e-6, standardised age", way.num_steps_to(1e-6)),
        _row(f"relative error after {NUM_RAW} steps of 1/L, raw age", raw_way.errors[-1]),
    ]
    return surface.likelihood_surface(drawn, len(told.ages)), rows


def _surface(
    label: str,
    unit: str,
    told: People,
    optimum: np.ndarray,
    way: descent.Descent,
    window: tuple[tuple[float, float], tuple[float, float]],
) -> surface.Surface:
    xs, ys = (np.linspace(*ends, NUM_GRID) for ends in window)
    pairs = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)
    excess = np.maximum(descent.excess(told, pairs, optimum), 1e-9).reshape(NUM_GRID, NUM_GRID)
    heights = [[float(f"{value:.6g}") for value in row] for row in excess.tolist()]  # for a smaller table
    names = ("intercept (log odds)", f"slope (log odds a {unit})")
    path = [(float(x), float(y)) for x, y in way.path]
    x, y = optimum.tolist()
    return surface.Surface(label, *names, xs.round(6).tolist(), ys.round(6).tolist(), heights, path, (x, y))


def resampled(told: People, fit: Fit, num_resamples: int) -> tuple[Picture, list[Row]]:
    """Leave-one-out and the bootstrap."""
    left_out, drawn = refit.leave_one_out(told), refit.bootstrap(told, num_resamples)
    slopes = refit.percentile_interval(drawn.slopes, drawn.num_separable)
    ages = refit.percentile_interval(drawn.even_odds)
    slope, age = fit.line.slope, fit.figures["fit/even_odds_value"]
    method = f"bootstrap percentile, {num_resamples} resamples"
    rows = [
        _row("accuracy, leave-one-out", left_out.accuracy),
        _row("log loss, leave-one-out", left_out.log_loss),
        _row("slope a year", slope, slopes, method),
        _row("age at P = 0.5", age, ages, method),
        _row("resamples without an optimum", drawn.num_separable, method=method),
    ]
    picture = histograms(
        [
            _counted("slope (log odds a year)", drawn.slopes, (0.0, 0.5), slope, slopes),
            _counted("age at P = 0.5 (years)", drawn.even_odds, (35.0, 70.0), age, ages),
        ],
        Words("resamples", "the fit to all 33", "95 % percentile interval"),
    )
    return picture, rows


def _counted(
    label: str, values: Ages, window: tuple[float, float], mark: float, ends: tuple[float, float]
) -> Histogram:
    counts, edges = np.histogram(values, NUM_BINS, window)
    outside = len(values) - int(counts.sum())
    return Histogram(label, edges.tolist(), counts.tolist(), outside, mark, *ends)


def figures(told: People, fit: Fit) -> list[Row]:
    """What the record says, and the straight line's ends."""
    age, metrics = fit.age, fit.figures
    wald = (age["odds_ratio_wald_low"], age["odds_ratio_wald_high"])
    profile = (age["odds_ratio_profile_low"], age["odds_ratio_profile_high"])
    even, error = metrics["fit/even_odds_value"], metrics["fit/even_odds_standard_error"]
    intercept, slope = least_squares(told)
    return [
        _row("intercept", fit.line.intercept, _wald(fit.line.intercept, fit.line.covariance[0, 0]), "Wald"),
        _row("slope a year", fit.line.slope, _wald(fit.line.slope, fit.line.covariance[1, 1]), "Wald"),
        _row("odds ratio a year", age["odds_ratio"], wald, "Wald"),
        _row("odds ratio a year", age["odds_ratio"], profile, "profile likelihood"),
        _row("age at P = 0.5", even, (even - Z * error, even + Z * error), "delta method"),
        _row("age at P = 0.5", even, even_odds_interval(fit.line), "Fieller"),
        _row("log-likelihood", metrics["fit/log_likelihood"]),
        _row("accuracy, same people", metrics["fit/accuracy"]),
        _row("log loss, same people", metrics["train/loss"]),
        _row("Brier, same people", metrics["fit/binary_brier_loss"]),
        _row("AUC, same people", metrics["fit/auroc"]),
        _row("age below which the straight line is negative", -intercept / slope),
        _row("age above which the straight line exceeds 1", (1 - intercept) / slope),
    ]


def _wald(estimate: float, variance: float) -> tuple[float, float]:
    reach = Z * float(np.sqrt(variance))
    return estimate - reach, estimate + reach


def _row(
    quantity: str, value: float | None, ends: tuple[float, float] | None = None, method: str = ""
) -> Row:
    low, high = ends or (None, None)
    return {"quantity": quantity, "value": value, "low": low, "high": high, "interval": method, "n": 33}


def main(out: Path, root: Path, num_resamples: int) -> None:
    """Writes results.csv and figures/ into a folder."""
    told, fit = people(), fitted(root)
    map_of_loss, ways = surfaces(told, fit.line)
    spread, rows = resampled(told, fit, num_resamples)
    write_pictures(out / "figures", [*curves(told, fit), map_of_loss, spread])
    write_rows(out / "results.csv", [*figures(told, fit), *ways, *rows])


if __name__ == "__main__":
    parser = options("chd", __doc__)
    parser.add_argument("--resamples", type=int, default=refit.NUM_RESAMPLES, help="of the bootstrap")
    asked = parser.parse_args()
    with store_folder(asked.root) as folder:
        main(asked.out, folder, asked.resamples)
