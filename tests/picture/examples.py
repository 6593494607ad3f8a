"""One drawing of every kind, from made-up numbers."""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

from seedbed.picture.curves import Curve, Line, Mean, Panel, learning_curves
from seedbed.picture.graph import Arrow, Box, Diagram, drawn
from seedbed.picture.pairs import Pair, differences, paired_dots
from seedbed.picture.picture import Picture
from seedbed.picture.progress import best_so_far, expected_best, importances, trade_off
from seedbed.picture.search import Slice, Trials, slices
from seedbed.picture.settings import Group, cost, cost_against_metric, distribution

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


def diagram(labels: Sequence[str]) -> Picture:
    """A box a label, one below the other, each priced."""
    kinds = {"step": "a step", "end": "the end", "price": "a price"}
    boxes = [Box(f"{place}", label, ["64 × 10", label], "step") for place, label in enumerate(labels)]
    boxes += [Box("price", "price", [], "price"), Box("end", "end", ["0.7"], "end")]
    names = [box.name for box in boxes if box.kind == "step"]
    arrows = [Arrow(*pair) for pair in pairwise([*names, "end"])]
    arrows += [Arrow(name, "price", faint=True) for name in names] + [Arrow("price", "end")]
    made = Diagram("n = 64", boxes, arrows, "end", kinds)
    return Picture("graph", "Graph", "", drawn("graph", made), ["node"], [[name] for name in names])


DRAW: dict[str, Callable[[Sequence[str]], Picture]] = {
    "learning_curves": lambda labels: learning_curves(panels(labels)),
    "distribution": lambda labels: distribution(groups(labels), "test/accuracy (share)"),
    "cost": lambda labels: cost(groups(labels)),
    "cost_against_metric": lambda labels: cost_against_metric(groups(labels), "test/accuracy (share)"),
    "differences": lambda labels: differences(pairs(labels), "test/accuracy (share)"),
    "paired_dots": lambda labels: paired_dots(pairs(labels)[:6], "test/accuracy (share)"),
    "slices": lambda labels: slices(TRIALS, tuned(labels)),
    "importances": lambda labels: importances(labels, [1 / len(labels)] * len(labels), 6),
    "best_so_far": lambda _: best_so_far(TRIALS, [0.5, 0.3, 0.3, 0.3, 0.2, 0.2]),
    "trade_off": lambda _: trade_off(
        range(4),
        [[1.0, 2.0, 3.0, 2.5], [0.3, 0.2, 0.1, 0.25]],
        ["loss (nats)", "CPU seconds"],
        [True, True],
    ),
    "graph": diagram,
    "expected_best": lambda _: expected_best([0.5, 0.35, 0.3], "val/loss (nats)"),
}
