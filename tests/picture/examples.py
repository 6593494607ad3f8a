"""One drawing of every kind, from made-up numbers."""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

from seedbed.picture import dose
from seedbed.picture.boundary import Plane, Points, decision_boundary
from seedbed.picture.curves import Curve, Line, Mean, Panel, learning_curves
from seedbed.picture.graph import Arrow, Box, Diagram, drawn
from seedbed.picture.histogram import Histogram, Words, histograms
from seedbed.picture.net import network
from seedbed.picture.pairs import Pair, differences, paired_dots
from seedbed.picture.parallel import parallel_coordinates
from seedbed.picture.picture import Picture
from seedbed.picture.progress import Orders, best_so_far, expected_best, importances, trade_off
from seedbed.picture.search import Slice, Trials, slices
from seedbed.picture.settings import Group, cost, cost_against_metric, distribution
from seedbed.picture.surface import Surface, likelihood_surface
from tests.picture import of_a_run
from tests.picture.looks import LOOKS

EASY = ("softmax", "mlp", "cnn")
LONG = tuple(
    f"model.hidden_features=[256, 128] optimizer.lr={0.1 / (1 + place):.4f} model.dropout={place / 10}"
    for place in range(10)
)
HOSTILE = ("$x_1$", "_hidden", '<b> & "q"\'', "中文 ünï")


def groups(labels: Sequence[str], num_runs: int = 4) -> list[Group]:
    made = []
    for place, label in enumerate(labels):
        values = [0.9 + 0.01 * place + 0.003 * run for run in range(num_runs)]
        mean = sum(values) / num_runs
        seconds = [(1 + place) ** 2 + 0.1 * run for run in range(num_runs)]
        made.append(Group(label, values, mean, mean - 0.004, mean + 0.004, seconds))
    return made


def panels(labels: Sequence[str]) -> list[Panel]:
    steps = [1, 2, 3]
    curves = []
    for place, label in enumerate(labels):
        falling = [1 / step + place for step in steps]
        lines = [Line(f"{label} seed {run}", steps, [value + run for value in falling]) for run in (0, 1)]
        middle, low, high = ([value + shift for value in falling] for shift in (0.5, 0.3, 0.7))
        curves.append(Curve(label, lines, Mean(steps, middle, low, high)))
    return [
        Panel("val/loss (nats)", "val/loss", curves),
        Panel("val/accuracy (share)", "val/accuracy", curves),
    ]


def pairs(labels: Sequence[str]) -> list[Pair]:
    made = groups(labels)
    return [
        Pair(a.label, b.label, a.values, b.values, place % 3 != 2, a.mean - b.mean, -0.01, 0.03)
        for place, (a, b) in enumerate((a, b) for a in made for b in made if a.mean > b.mean)
    ]


TRIALS = Trials(
    numbers=range(6),
    values=[0.5, 0.3, math.nan, 0.4, 0.2, 0.6],
    pruned=[False, False, True, True, False, True],
    objective="val/loss (nats)",
    lower_is_better=True,
)


def tuned(labels: Sequence[str]) -> list[Slice]:
    words = [labels[place % len(labels)] for place in range(6)]
    rates = [10.0**-place for place in range(6)]
    return [
        Slice("optimizer.lr", rates, logarithmic=True),
        Slice(labels[0], words, logarithmic=False),
        Slice("model.width", [16, 32, None, 64, 128, 256], logarithmic=False),
        Slice("model.dropout", [0.1, 0.11, 0.12, 0.13, 0.14, 0.15], logarithmic=True),
    ]


WORDS = dose.Words("age (years)", "heart disease")
DOTS = dose.Dots([20, 30, 30, 40, 50, 60], [0, 0, 1, 0, 1, 1])
SHARES = [dose.Share(20, 39, 1, 3, 1 / 3, 0.06, 0.79), dose.Share(40, 69, 2, 3, 2 / 3, 0.21, 0.94)]
LOG_ODDS = [
    dose.Share(20, 39, 0, 3, -math.inf, -math.inf, 0.25),
    dose.Share(40, 49, 2, 3, 0.69, -1.3, 2.75),
    dose.Share(50, 69, 3, 3, math.inf, -0.25, math.inf),
]
SIGMOID = dose.Curve("sigmoid", [20, 40, 60], [0.1, 0.5, 0.9], [0.02, 0.3, 0.6], [0.4, 0.7, 0.98])
LOGITS = dose.Curve("fitted line", [20, 40, 60], [-2.2, 0.0, 2.2], [-4, -1, 0.4], [-0.4, 1, 4])
LEAST_SQUARES = dose.Curve("least squares", [20, 40, 60], [-0.2, 0.5, 1.2])
GRID = [place / 10 for place in range(-20, 21)]
BOWL = Surface(
    "raw, 3 steps",
    "intercept (nats)",
    "slope (nats a year)",
    GRID,
    GRID,
    [[0.3 * x * x + y * y + 1e-5 for x in GRID] for y in GRID],
    [(-1.5, 1.5), (-1.0, 0.5), (-0.4, 0.1), (-0.1, 0.0)],
    (0.0, 0.0),
)
PLANES = [
    Plane(
        f"{label}, accuracy 0.9",
        GRID,
        GRID,
        [[1 / (1 + math.exp(-x - bend * y * y)) for x in GRID] for y in GRID],
    )
    for bend, label in enumerate(("logistic", "mlp"))
]
POINTS = Points([-1.0, 0.5, 1.0], [0.0, 1.0, -1.0], [0, 1, 1])
COUNTED = [
    Histogram("slope (nats a year)", [0.0, 0.1, 0.2, 0.3], [3, 10, 4], 2, 0.13, 0.05, 0.25),
    Histogram("age at P = 0.5 (years)", [40.0, 50.0, 60.0], [8, 11], 0, 51.0, 44.0, 58.0),
]


def diagram(labels: Sequence[str], picture: str = "graph") -> Picture:
    """A box a label, one below the other, each priced."""
    kinds = {"step": "a step", "end": "the end", "price": "a price"}
    boxes = [Box(f"{place}", label, ["64 × 10", label], "step") for place, label in enumerate(labels)]
    boxes += [Box("price", "price", [], "price"), Box("end", "end", ["0.7"], "end")]
    names = [box.name for box in boxes if box.kind == "step"]
    arrows = [Arrow(*pair) for pair in pairwise([*names, "end"])]
    arrows += [Arrow(name, "price", faint=True) for name in names] + [Arrow("price", "end")]
    made = Diagram("n = 64", boxes, arrows, "end", kinds)
    return Picture(picture, "Graph", "", drawn(picture, made), ["node"], [[name] for name in names])


DRAW: dict[str, Callable[[Sequence[str]], Picture]] = {
    "learning_curves": lambda labels: learning_curves(panels(labels)),
    "distribution": lambda labels: distribution(groups(labels), "test/accuracy (share)"),
    "cost": lambda labels: cost(groups(labels)),
    "cost_against_metric": lambda labels: cost_against_metric(groups(labels), "test/accuracy (share)"),
    "differences": lambda labels: differences(pairs(labels), "test/accuracy (share)"),
    "paired_dots": lambda labels: paired_dots(pairs(labels)[:6], "test/accuracy (share)"),
    "parallel_coordinates": lambda labels: parallel_coordinates(TRIALS, tuned(labels)),
    "slices": lambda labels: slices(TRIALS, tuned(labels)),
    "importances": lambda labels: importances(labels, [1 / len(labels)] * len(labels), 6),
    "best_so_far": lambda _: best_so_far(
        TRIALS,
        [0.5, 0.3, 0.3, 0.3, 0.2, 0.2],
        Orders([0.2, 0.2, 0.2, 0.2, 0.2, 0.2], [0.5, 0.3, 0.3, 0.3, 0.2, 0.2]),
    ),
    "trade_off": lambda _: trade_off(
        range(4),
        [[1.0, 2.0, 3.0, 2.5], [0.3, 0.2, 0.1, 0.25]],
        ["loss (nats)", "CPU seconds"],
        [True, True],
    ),
    "graph": diagram,
    "autograd": lambda labels: diagram(labels, "autograd"),
    "expected_best": lambda _: expected_best([0.5, 0.35, 0.3], "val/loss (nats)"),
    "dose_response": lambda _: dose.dose_response(DOTS, SHARES, SIGMOID, dose.Crossing(40, 35, 47), WORDS),
    "straight_line": lambda _: dose.straight_line(DOTS, SIGMOID, LEAST_SQUARES, WORDS),
    "log_odds": lambda _: dose.log_odds(LOG_ODDS, LOGITS, WORDS),
    "fitted_curves": lambda labels: dose.fitted_curves(
        DOTS, [SIGMOID._replace(label=label, low=(), high=()) for label in labels[:6]], WORDS
    ),
    "likelihood_surface": lambda _: likelihood_surface([BOWL, BOWL._replace(label="scaled, 3 steps")], 33),
    "decision_boundary": lambda _: decision_boundary(PLANES, POINTS, ("upper", "lower"), ("x", "y")),
    "network": lambda _: network([3, 4, 2], ["inputs", "hidden units", "logits"]),
    "histograms": lambda _: histograms(
        COUNTED, Words("resamples", "the estimate", "95 % bootstrap interval")
    ),
    **of_a_run.DRAW,
    **LOOKS,
}
