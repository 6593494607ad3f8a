"""McNemar's test from stored predictions, against a binomial test and a formula."""

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from seedbed.errors import StoreError
from seedbed.track.store import Store
from seedbed.verdict.members import Member, of_run
from seedbed.verdict.predictions import MAX_EXACT, McNemar, Predictions, mcnemar, predictions, sentence


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    root = tmp_path_factory.mktemp("predictions")
    return Store.open(root, f"sqlite:///{root / 'mlflow.db'}")


def recorded(
    store: Store, tmp_path: Path, logits: np.ndarray, labels: np.ndarray, indices: np.ndarray
) -> Member:
    run = store.client.create_run(store.experiment("models"), run_name="model")
    np.savez(tmp_path / "predictions.npz", logits=logits, labels=labels, indices=indices)
    store.client.log_artifact(run.info.run_id, str(tmp_path / "predictions.npz"), "test")
    return of_run(run)


def answers(right: list[bool], indices: list[int] | None = None) -> Predictions:
    places = range(len(right)) if indices is None else indices
    return Predictions(
        np.array(right), np.zeros(len(right), dtype=np.int64), np.array(places, dtype=np.int64)
    )


def of_counts(both: int, only_a: int, only_b: int, neither: int) -> tuple[Predictions, Predictions]:
    a = [True] * (both + only_a) + [False] * (only_b + neither)
    b = [True] * both + [False] * only_a + [True] * only_b + [False] * neither
    return answers(a), answers(b)


def test_predictions_come_back_in_the_order_of_their_places(store: Store, tmp_path: Path) -> None:
    logits = np.array([[0.0, 1.0], [2.0, 1.0], [0.0, 3.0]])
    run = recorded(store, tmp_path, logits, np.array([1, 0, 0]), np.array([7, 3, 5]))
    found = predictions(store, run)
    assert found.indices.tolist() == [3, 5, 7]
    assert found.labels.tolist() == [0, 0, 1]
    assert found.right.tolist() == [True, False, True]


def test_one_logit_is_the_log_odds_of_class_one(store: Store, tmp_path: Path) -> None:
    run = recorded(store, tmp_path, np.array([[0.5], [-0.5]]), np.array([1, 1]), np.array([0, 1]))
    assert predictions(store, run).right.tolist() == [True, False]


def test_a_run_that_never_read_its_test_split_is_told_so(store: Store) -> None:
    run = of_run(store.client.create_run(store.experiment("models"), run_name="unread"))
    with pytest.raises(StoreError) as caught:
        predictions(store, run)
    assert str(caught.value) == (
        f"run unread ({run.run_id[:8]}): expected the artifact test/predictions.npz, got a run that never "
        f"read its "
        "test split. Train it with evaluate_test=true, or name a study of several runs."
    )


@pytest.mark.parametrize(("only_a", "only_b"), [(0, 0), (1, 0), (5, 5), (12, 4), (3, 40)])
def test_few_differing_examples_are_a_binomial_test(only_a: int, only_b: int) -> None:
    found = mcnemar(*of_counts(50, only_a, only_b, 10))
    assert (found.num_examples, found.only_a, found.only_b) == (60 + only_a + only_b, only_a, only_b)
    assert found.exact
    expected = stats.binomtest(only_a, only_a + only_b).pvalue if only_a + only_b else 1.0
    assert found.p_value == pytest.approx(expected, rel=1e-9)


def test_many_differing_examples_are_a_chi_square_test_with_continuity_correction() -> None:
    only_a, only_b = 520, MAX_EXACT - 519
    found = mcnemar(*of_counts(5_000, only_a, only_b, 100))
    assert not found.exact
    statistic = (abs(only_a - only_b) - 1) ** 2 / (only_a + only_b)
    assert found.p_value == pytest.approx(stats.chi2.sf(statistic, 1), rel=1e-9)


def test_the_interval_is_clopper_and_pearsons_of_the_differing_examples() -> None:
    found = mcnemar(*of_counts(80, 12, 4, 4))
    ends = stats.binomtest(12, 16).proportion_ci(0.95, method="exact")
    assert (found.low, found.high) == pytest.approx(
        ((2 * ends.low - 1) * 0.16, (2 * ends.high - 1) * 0.16), rel=1e-9
    )
    assert found.difference == pytest.approx(0.08)
    assert mcnemar(*of_counts(5, 0, 0, 1)).low is None


def test_other_examples_are_refused() -> None:
    a, b = answers([True, False], [0, 1]), answers([True, True, False], [0, 1, 2])
    with pytest.raises(StoreError) as caught:
        mcnemar(a, b)
    assert str(caught.value) == (
        "predictions: expected two runs that read one test split, got 2 and 3 examples with other places "
        "or labels. "
        "Compare runs with the same data keys, and the same fold."
    )
    with pytest.raises(StoreError):
        mcnemar(a, answers([True, False], [0, 2]))
    with pytest.raises(StoreError):
        mcnemar(a, a._replace(labels=a.labels + 1))


def test_the_words_name_the_better_model_first() -> None:
    found = McNemar(100, 4, 16, 0.0118, True, -0.18, -0.03)
    assert sentence("mlp", "cnn", found) == (
        "cnn beats mlp by 12.00 points [3.00, 18.00], n = 100 test examples, exact McNemar p = 0.012; 4 "
        "only mlp "
        "has right, 16 only cnn"
    )


def test_an_undecided_comparison_of_models_is_open() -> None:
    found = McNemar(100, 5, 4, 1.0, False, -0.05, 0.06)
    assert sentence("mlp", "cnn", found) == (
        "mlp against cnn: open (difference 1.00 points [-5.00, 6.00], n = 100 test examples, McNemar p = "
        "1; 5 only "
        "mlp has right, 4 only cnn)"
    )
    assert sentence("mlp", "cnn", McNemar(9, 0, 0, 1.0, True, None, None)) == (
        "mlp and cnn are right on the same of 9 test examples"
    )
