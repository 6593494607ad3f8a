"""The verdict on data where it is known, by hand or by enumeration."""

from itertools import product
from typing import Any

import numpy as np
import pytest
from scipy import optimize
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine

from seedbed.model import direction, separability
from seedbed.model.linear import Logistic
from seedbed.model.separability import one_vs_rest_separability, parting_columns

SMALL = {"PROGRAMME_LIMIT": 0, "FIT_LIMIT": 0}


def verdict(inputs: Any, labels: Any, num_classes: int = 2) -> str:
    table = np.asarray(inputs, dtype=float)
    columns = table[:, None] if table.ndim == 1 else table
    return separability.separability(columns, np.asarray(labels, dtype=np.int64), num_classes).value


def by_hand(inputs: tuple[int, ...], labels: tuple[int, ...]) -> str:
    """One column, two classes: only the ends of the two ranges matter."""
    zeros = [x for x, y in zip(inputs, labels, strict=True) if y == 0]
    ones = [x for x, y in zip(inputs, labels, strict=True) if y == 1]
    if not zeros or not ones or max(zeros) < min(ones) or max(ones) < min(zeros):
        return "separable"
    touching = max(zeros) == min(ones) or max(ones) == min(zeros)
    return "quasi-separable" if touching and len(set(inputs)) > 1 else "overlapping"


@pytest.mark.parametrize("labels", list(product((0, 1), repeat=4)))
def test_one_column_two_classes_by_enumeration(labels: tuple[int, ...]) -> None:
    for inputs in product((0, 1, 2), repeat=3):
        column = (0, *inputs)
        assert verdict(column, labels) == by_hand(column, labels), column


@pytest.mark.parametrize("labels", list(product((0, 1), repeat=4)))
def test_the_linear_programme_alone_says_the_same(
    labels: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(separability, "FIT_LIMIT", 0)
    for column in ((0, 0, 1, 2), (0, 1, 1, 2), (0, 1, 2, 3), (1, 0, 0, 1), (1, 1, 1, 1)):
        assert verdict(column, labels) == by_hand(column, labels), column


def test_chd_overlaps(chd: Any) -> None:
    assert separability.separability(chd.inputs, chd.labels, 2) == (
        "overlapping",
        "The classes overlap in every direction: an unpenalised fit has an optimum.",
    )


@pytest.mark.parametrize("load", [load_breast_cancer, load_digits, load_wine])
def test_breast_cancer_digits_and_wine_are_separable(load: Any) -> None:
    inputs, labels = load(return_X_y=True)
    found = separability.separability(inputs, labels, int(labels.max()) + 1)
    assert found == (
        "separable",
        "A linear model gets every example right: an unpenalised fit has no optimum, its weights grow for"
        " ever; set objective.l2.",
    )


def test_iris_is_quasi_separable_because_one_species_stands_apart() -> None:
    inputs, labels = load_iris(return_X_y=True)
    found = separability.separability(inputs, labels, 3)
    assert found.value == "quasi-separable"
    # 50 setosa against two other species, and 100 others against setosa.
    assert found.explanation.startswith("200 of 300 pairs of an example and a wrong class can be told apart")
    assert verdict(inputs[50:], labels[50:] - 1) == "overlapping"


def test_one_vs_rest_is_judged_class_by_class() -> None:
    inputs, labels = load_iris(return_X_y=True)
    assert one_vs_rest_separability(inputs, labels, 3) == (
        "quasi-separable",
        "Each class against the others is, by class number: separable: 0; overlapping: 1, 2.",
    )
    wine, origins = load_wine(return_X_y=True)
    assert one_vs_rest_separability(wine, origins, 3).value == "separable"


def test_a_class_in_the_middle_parts_softmax_but_not_one_vs_rest() -> None:
    inputs, labels = np.arange(9.0)[:, None], np.repeat([0, 1, 2], 3)
    assert separability.separability(inputs, labels, 3).value == "separable"
    assert one_vs_rest_separability(inputs, labels, 3).value == "quasi-separable"


@pytest.mark.parametrize("num_classes", [2, 3])
def test_renaming_classes_and_rescaling_columns_change_nothing(num_classes: int) -> None:
    generator = np.random.default_rng(1)
    seen = set()
    for _ in range(25):
        inputs = generator.integers(0, 3, size=(7, 2)).astype(float)
        labels = generator.integers(0, num_classes, size=7)
        found = verdict(inputs, labels, num_classes)
        seen.add(found)
        assert verdict(inputs * [-1000.0, 0.001] + [5.0, -3.0], labels, num_classes) == found
        assert verdict(inputs[:, ::-1], num_classes - 1 - labels, num_classes) == found
    assert len(seen) > 1


def test_a_class_without_examples_has_no_optimal_bias() -> None:
    overlapping = ([0.0, 1.0, 2.0, 3.0], [0, 1, 0, 1])
    assert verdict(*overlapping, 2) == "overlapping"
    assert verdict(*overlapping, 3) == "quasi-separable"
    assert verdict([0.0, 1.0], [1, 1], 3) == "separable"


def test_a_constant_column_decides_nothing() -> None:
    assert verdict([[1.0, 0.0], [1.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 0, 1, 1]) == "overlapping"


def test_a_parting_column_is_never_contradicted_by_the_linear_programme() -> None:
    generator = np.random.default_rng(2)
    num_parted = 0
    for _ in range(60):
        inputs = generator.integers(0, 2, size=(8, 3)).astype(float)
        labels = np.concatenate([np.arange(3), generator.integers(0, 3, size=5)])
        parts, num_varying = parting_columns(inputs, labels, 3)
        assert num_varying == (np.ptp(inputs, axis=0) > 0).sum()
        if parts.any():
            num_parted += 1
            assert verdict(inputs, labels, 3) in ("separable", "quasi-separable")
    assert num_parted > 10


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_pixel_never_inked_in_a_class_is_a_parting_column(sign: float) -> None:
    ink = np.array([[0.0, 3.0, 0.0], [0.0, 1.0, 0.0], [2.0, 3.0, 0.0], [0.0, 2.0, 0.0], [1.0, 1.0, 0.0]])
    parts, num_varying = parting_columns(sign * ink, np.array([0, 0, 1, 1, 2]), 3)
    # The first pixel: 0 in class 0 and more elsewhere (below); 1 in class 2, but 0 and 2 in class 1.
    assert parts.tolist() == [[True, False, False], [False, False, False], [False, True, False]]
    assert num_varying == 2


def test_large_data_with_a_parting_column_has_no_optimum(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, limit in SMALL.items():
        monkeypatch.setattr(separability, name, limit)
    inputs = np.array([[0.0, 1.0], [0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    found = separability.separability(inputs, np.array([0, 0, 1, 1]), 2)
    assert found == (
        "quasi-separable",
        "At the least: 1 of 2 varying columns part one class from all others up to ties, such as column 0"
        " class 0; an unpenalised fit has no optimum, its weights grow for ever; set objective.l2.",
    )
    absent = separability.separability(inputs, np.array([0, 2, 0, 2]), 3)
    assert absent.explanation.startswith("At the least: class 1 has no example; an unpenalised fit")


def test_large_data_without_one_stays_undecided(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, limit in SMALL.items():
        monkeypatch.setattr(separability, name, limit)
    found = separability.separability(np.array([[0.0], [1.0], [0.0], [1.0]]), np.array([0, 0, 1, 1]), 2)
    assert found == (
        "undecided",
        "The linear programme would have 8 terms, more than the 0 that are solved in seconds, no class is"
        " absent and no single column parts one class from the others.",
    )


@pytest.mark.parametrize(
    "disturb",
    [
        lambda solution: solution + 1e-3,
        # No weights, and margins claimed that are neither there nor not there.
        lambda solution: np.where(np.arange(solution.size) < 2, 0.0, 0.3),
    ],
)
def test_a_solution_that_rounding_could_overturn_is_no_verdict(
    disturb: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The solver's weights are held against the data, whatever the solver says of them."""
    solve = optimize.linprog

    def disturbed(*problem: Any, **given: Any) -> Any:
        result = solve(*problem, **given)
        result.x = disturb(result.x)
        return result

    monkeypatch.setattr(direction, "linprog", disturbed)
    monkeypatch.setattr(separability, "FIT_LIMIT", 0)
    assert verdict([0.0, 1.0, 2.0, 3.0], [0, 0, 1, 1]) == "undecided"


def test_parted_classes_let_the_weights_grow_and_overlapping_ones_do_not(fit: Any, chd: Any) -> None:
    inputs, labels = chd.tensors()
    network = Logistic(input_shape=(1,), num_classes=2)
    assert fit(network, inputs, labels).mean_nll > 0.4
    assert fit(network, inputs, (inputs[:, 0] > 0).long()).mean_nll < 1e-6
    assert network.linear.weight.item() > 100
