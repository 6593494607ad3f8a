"""Results by class against scikit-learn, from the CSV that a run leaves."""

import csv
import io
from collections.abc import Sequence

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import confusion_matrix, f1_score, recall_score

from seedbed.verdict.per_class import per_class

TOLERANCE = 1e-12  # float64 quotients of small integers


def drawn(seed: int, num_classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels of which every class has one, and predictions that are right half of the time."""
    generator = np.random.default_rng(seed)
    labels = np.concatenate([np.arange(num_classes), generator.integers(0, num_classes, 60)])
    guesses = generator.integers(0, num_classes, len(labels))
    return labels, np.where(generator.random(len(labels)) < 0.5, labels, guesses)


def as_csv(counts: Sequence[Sequence[int]], names: Sequence[str]) -> str:
    out = io.StringIO()
    rows = [[name, *row] for name, row in zip(names, counts, strict=True)]
    csv.writer(out, lineterminator="\n").writerows([["true \\ predicted", *names], *rows])
    return out.getvalue()


@pytest.mark.parametrize("num_classes", [2, 3, 10])
def test_recall_and_f1_score_agree_with_scikit_learn(num_classes: int) -> None:
    runs = [drawn(seed, num_classes) for seed in range(4)]
    names = [f"class, {number}" for number in range(num_classes)]
    found = per_class([as_csv(confusion_matrix(*run).tolist(), names) for run in runs])
    recalls = np.array([recall_score(*run, average=None) for run in runs])
    scores = np.array([f1_score(*run, average=None) for run in runs])
    assert [one.name for one in found] == names
    for place, one in enumerate(found):
        assert one.recall.n == one.f1_score.n == 4
        assert one.recall.mean == pytest.approx(recalls[:, place].mean(), rel=TOLERANCE)
        assert one.f1_score.mean == pytest.approx(scores[:, place].mean(), rel=TOLERANCE)
        low, high = stats.t.interval(0.95, 3, recalls[:, place].mean(), stats.sem(recalls[:, place]))
        assert (one.recall.low, one.recall.high) == pytest.approx((low, high), rel=TOLERANCE)


def test_a_run_without_examples_of_a_class_says_nothing_of_it() -> None:
    with_them = as_csv([[3, 1], [1, 1]], ["a", "b"])
    without = as_csv([[2, 2], [0, 0]], ["a", "b"])
    a, b = per_class([with_them, without])
    assert (a.num_examples, a.recall.n, a.recall.mean) == ((4, 4), 2, 0.625)
    assert (b.num_examples, b.recall.n, b.recall.mean) == ((2, 2), 1, 0.5)
    assert [one.name for one in per_class([without])] == ["a"]


def test_folds_widen_the_interval_as_they_do_for_every_other_figure() -> None:
    runs = [as_csv(confusion_matrix(*drawn(seed, 3)).tolist(), ["a", "b", "c"]) for seed in range(5)]
    alone, folds = per_class(runs)[0].recall, per_class(runs, ratio=1 / 4)[0].recall
    assert alone.low is not None
    assert folds.low is not None
    widened = (folds.mean - folds.low) / (alone.mean - alone.low)
    assert widened == pytest.approx((1 + 5 / 4) ** 0.5, rel=TOLERANCE)


def test_no_confusions_give_no_classes() -> None:
    assert per_class([]) == []
