"""The lecture's third case: ten logistic regressions against one softmax regression on MNIST.

python -m experiments.one_vs_rest --data FOLDER --out FOLDER
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64
from scipy.special import expit
from statsmodels.stats.proportion import proportion_confint

from experiments.lecture import arrays, options, store_folder, trained, write_pictures, write_rows
from seedbed.picture.histogram import Histogram, Words, histograms
from seedbed.picture.picture import Picture
from seedbed.track.store import Store
from seedbed.verdict.find import find
from seedbed.verdict.predictions import McNemar, mcnemar, predictions, sentence

MODELS = ("softmax", "one_vs_rest")
MEASURES = ("test/loss", "test/brier_loss", "test/calibration_error", "train/objective")
PREDICTIONS = "test/predictions.npz"
WINDOW, NUM_BINS = (0.0, 2.0), 50
Sums = Float64[np.ndarray, " example"]
Row = dict[str, str | float | None]


class Found(NamedTuple):
    """What the records of both runs say.

    Args:
        metrics: of each model, in the order of `MODELS`.
        mcnemar: softmax against one-vs-rest.
        sums: of the ten sigmoids, one an example of the test split.
        right: whether one-vs-rest has that example right.
    """

    metrics: list[dict[str, float]]
    mcnemar: McNemar
    sums: Sums
    right: Bool[np.ndarray, " example"]


def found(root: Path, overrides: Sequence[str]) -> Found:
    """Both fits, made and read back."""
    outcomes = [trained(root, ["experiment=one_vs_rest", f"model={model}", *overrides]) for model in MODELS]
    store = Store.open(root)
    both = [predictions(store, find(store, outcome.run_id)) for outcome in outcomes]
    kept = arrays(root, outcomes[1].run_id, PREDICTIONS)
    sums = expit(kept["logits"].astype(np.float64)).sum(axis=1)
    right = kept["logits"].argmax(axis=1) == kept["labels"]
    return Found([dict(outcome.metrics) for outcome in outcomes], mcnemar(*both), sums, right)


def picture_of(told: Found) -> Picture:
    """The sums, of the examples that one-vs-rest has right and of those it has wrong."""
    sides = (("right", told.sums[told.right]), ("wrong", told.sums[~told.right]))
    drawn = [_counted(f"sum of the sigmoids, {name} images", values) for name, values in sides]
    words = Words("test images", "the mean", "central 95 % of the images")
    return histograms(drawn, words)


def _counted(label: str, sums: Sums) -> Histogram:
    counts, edges = np.histogram(sums, NUM_BINS, WINDOW)
    low, high = np.quantile(sums, (0.025, 0.975)).tolist()
    outside = len(sums) - int(counts.sum())
    return Histogram(label, edges.tolist(), counts.tolist(), outside, float(sums.mean()), low, high)


def rows_of(told: Found) -> list[Row]:
    """One row a figure."""
    num = len(told.sums)
    rows = [
        _row(f"{name}, {model}", metrics[name], num)
        for name in MEASURES
        for model, metrics in zip(MODELS, told.metrics, strict=True)
    ]
    for model, metrics in zip(MODELS, told.metrics, strict=True):
        accuracy = metrics["test/accuracy"]
        ends = proportion_confint(round(accuracy * num), num, method="wilson")
        rows.append(_row(f"test/accuracy, {model}", accuracy, num, ends, "Wilson 95 %"))
    both = told.mcnemar
    assert both.low is not None, "two models of another kind differ somewhere"
    assert both.high is not None
    rows += [
        _row("softmax minus one_vs_rest", both.difference, num, (both.low, both.high), "McNemar 95 %"),
        _row("McNemar p", both.p_value, num),
        _row("only softmax right", both.only_a, num),
        _row("only one_vs_rest right", both.only_b, num),
    ]
    return [*rows, *_sums(told)]


def _sums(told: Found) -> list[Row]:
    near = np.abs(told.sums - 1) <= 0.1
    sides = {"": told.sums > -1, ", right": told.right, ", wrong": ~told.right}
    rows = [
        _row(
            f"sum of the sigmoids{name}",
            float(told.sums[chosen].mean()),
            int(chosen.sum()),
            tuple(np.quantile(told.sums[chosen], (0.025, 0.975)).tolist()),
            "central 95 % of the images",
        )
        for name, chosen in sides.items()
    ]
    return [
        *rows,
        _row("share of images with a sum from 0.9 to 1.1", float(near.mean()), len(near)),
        _row("accuracy where the sum is from 0.9 to 1.1", float(told.right[near].mean()), int(near.sum())),
        _row("accuracy elsewhere", float(told.right[~near].mean()), int((~near).sum())),
    ]


def _row(quantity: str, value: float, num: int, ends: tuple[float, ...] = (), interval: str = "") -> Row:
    low, high = ends or (None, None)
    return {"quantity": quantity, "value": value, "low": low, "high": high, "interval": interval, "n": num}


def main(out: Path, root: Path, overrides: Sequence[str]) -> None:
    """Writes results.csv and figures/ into a folder, and says McNemar's verdict."""
    told = found(root, overrides)
    write_pictures(out / "figures", [picture_of(told)])
    write_rows(out / "results.csv", rows_of(told))
    print(sentence(*MODELS, told.mcnemar))


if __name__ == "__main__":
    parser = options("one_vs_rest", __doc__)
    parser.add_argument("--data", type=Path, default=Path("data"), help="folder that holds MNIST/raw")
    asked = parser.parse_args()
    with store_folder(asked.root) as folder:
        main(asked.out, folder, [f"data.root={asked.data}"])
