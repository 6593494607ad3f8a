import pytest
import torch

from seedbed.data.folds import INNER, OUTER, Folds, chosen
from seedbed.data.rows import Table
from seedbed.data.source import Part
from seedbed.errors import ConfigError, DataError

NAMES = ("ant", "bee", "cow")


def part(*counts: int) -> Part:
    """As many examples of each class as told, in mixed order, after five rows of another split."""
    labels = torch.cat([torch.full((n,), k) for k, n in enumerate(counts)])
    mixed = labels[torch.randperm(len(labels), generator=torch.Generator().manual_seed(3))]
    rows = Table(torch.zeros(len(labels) + 5, 1))
    return Part(rows, torch.cat([torch.zeros(5, dtype=torch.int64), mixed]), torch.arange(5, len(rows)))


def dealt(whole: Part, num_folds: int, seed: int = 0) -> list[tuple[Part, Part]]:
    return [Folds("data.num_folds", num_folds, fold).deal(whole, seed, NAMES) for fold in range(num_folds)]


@pytest.mark.parametrize("num_folds", [2, 5])
@pytest.mark.parametrize("counts", [(9, 5, 5), (10, 5, 5), (11, 5, 5), (33, 12, 51), (5, 0, 7)])
def test_every_example_is_in_exactly_one_fold_and_the_others_train(
    counts: tuple[int, ...], num_folds: int
) -> None:
    whole = part(*counts)
    sides = dealt(whole, num_folds)
    held_out = torch.cat([fold.indices for _, fold in sides])
    assert torch.equal(held_out.sort().values, whole.indices)
    for kept, fold in sides:
        assert torch.equal(torch.cat([kept.indices, fold.indices]).sort().values, whole.indices)
        assert all(torch.equal(side.indices, side.indices.sort().values) for side in (kept, fold))


@pytest.mark.parametrize("num_folds", [2, 5])
@pytest.mark.parametrize("counts", [(9, 5, 5), (10, 5, 5), (11, 5, 5), (33, 12, 51), (5, 0, 7)])
def test_class_counts_and_sizes_differ_by_one_at_most_between_folds(
    counts: tuple[int, ...], num_folds: int
) -> None:
    folds = torch.tensor([fold.class_counts(3) for _, fold in dealt(part(*counts), num_folds)])
    for numbers in (*folds.T, folds.sum(1)):
        assert numbers.max() - numbers.min() <= 1


def test_the_seed_decides_the_partition() -> None:
    whole = part(20, 20, 20)
    first, again, other = (
        [fold.indices.tolist() for _, fold in dealt(whole, 4, seed)] for seed in (0, 0, 2**32 - 1)
    )
    assert first == again
    assert all(fold not in first for fold in other)


def test_as_many_folds_as_examples_of_the_rarest_class_and_no_more() -> None:
    whole = part(20, 3, 4)
    assert all(fold.class_counts(3)[1] == 1 for _, fold in dealt(whole, 3))
    with pytest.raises(DataError) as caught:
        dealt(whole, 5)
    assert str(caught.value) == (
        "data.num_folds=5: expected an example of every class in every fold, got 3 of class bee, "
        "4 of class cow. Set data.num_folds to 3 or less, or add examples of it, or remove the class."
    )


def test_a_class_that_cannot_be_dealt_at_all_is_named() -> None:
    with pytest.raises(DataError) as caught:
        Folds("data.num_inner_folds", 2, 0).deal(part(20, 1, 4), 0, NAMES)
    assert str(caught.value) == (
        "data.num_inner_folds=2: expected an example of every class in every fold, got 1 of class bee. "
        "Add examples of it, or remove the class."
    )


def test_two_keys_choose_a_fold_or_none() -> None:
    assert chosen(OUTER, None, None) is None
    for fold in (0, 2):
        assert chosen(OUTER, 3, fold) == Folds("data.num_folds", 3, fold)


@pytest.mark.parametrize("num_folds", [1, 0, -3])
def test_fewer_than_two_folds_are_refused(num_folds: int) -> None:
    with pytest.raises(ConfigError) as caught:
        chosen(OUTER, num_folds, 0)
    assert str(caught.value) == (
        f"data.num_folds: expected 2 or more, or null, got {num_folds}. "
        "5 and 10 are common; null deals no folds."
    )


@pytest.mark.parametrize(("fold", "got"), [(None, "null"), (5, "5"), (-1, "-1")])
def test_a_fold_that_is_none_of_them_is_refused(fold: int | None, got: str) -> None:
    with pytest.raises(ConfigError) as caught:
        chosen(OUTER, 5, fold)
    assert str(caught.value) == (
        f"data.fold: expected a whole number from 0 to 4 with data.num_folds=5, got {got}. "
        "Add data.fold=K for one fold, or seedbed train -m study=cross_validation for all of them."
    )


def test_a_number_of_inner_folds_alone_is_refused_where_one_is_needed() -> None:
    with pytest.raises(ConfigError) as caught:
        chosen(INNER, 3, None)
    assert str(caught.value) == (
        "data.inner_fold: expected a whole number from 0 to 2 with data.num_inner_folds=3, got null. "
        "Add data.inner_fold=K for one fold, or seedbed train -m 'data.inner_fold=range(0,3)' "
        "for all of them."
    )
    assert chosen(INNER, 3, None, needed=False) is None


def test_a_fold_of_no_folds_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        chosen(INNER, None, 0)
    assert str(caught.value) == (
        "data.inner_fold: expected null without data.num_inner_folds, got 0. "
        "Add data.num_inner_folds, or leave data.inner_fold out."
    )
