import math

import pytest
import torch

from seedbed.data.cut import at_end, check_fraction, stratified
from seedbed.data.rows import Table
from seedbed.data.source import Part
from seedbed.errors import ConfigError, DataError

NAMES = ("ant", "bee", "cow")


def part(*counts: int) -> Part:
    """As many examples of each class as told, after five rows that belong to another split."""
    labels = torch.cat([torch.zeros(5), *(torch.full((n,), k) for k, n in enumerate(counts))]).to(torch.int64)
    return Part(Table(torch.zeros(len(labels), 1)), labels, torch.arange(5, len(labels)))


def cut(whole: Part, fraction: float, seed: int = 0) -> tuple[Part, Part | None]:
    return stratified(whole, fraction, seed, key="data.val_fraction", class_names=NAMES)


def test_both_sides_keep_the_proportions_and_make_up_the_whole() -> None:
    whole = part(40, 80, 120)
    kept, held_out = cut(whole, 0.25)
    assert held_out is not None
    assert kept.class_counts(3) == (30, 60, 90)
    assert held_out.class_counts(3) == (10, 20, 30)
    assert torch.equal(torch.cat([kept.indices, held_out.indices]).sort().values, whole.indices)
    assert all(torch.equal(side.indices, side.indices.sort().values) for side in (kept, held_out))


def test_the_seed_decides_the_cut_and_may_have_63_bits() -> None:
    whole = part(40, 80, 120)
    cuts = [cut(whole, 0.25, seed)[0].indices for seed in (0, 0, 1, 2**63 - 1)]
    assert torch.equal(cuts[0], cuts[1])
    assert not torch.equal(cuts[0], cuts[2])
    assert not torch.equal(cuts[0], cuts[3])


def test_a_fraction_of_0_holds_nothing_out() -> None:
    whole = part(1, 1, 1)
    assert cut(whole, 0.0) == (whole, None)
    assert at_end(whole, 0.0, key="data.test_fraction") == (whole, None)


def test_a_class_with_one_example_is_named() -> None:
    with pytest.raises(DataError) as caught:
        cut(part(20, 1, 1), 0.5)
    assert str(caught.value) == (
        "data.val_fraction=0.5: expected at least 2 examples of every class, so that both sides hold one, "
        "got 1 of class bee, cow. Add examples of it, remove the class, or set the fraction to 0."
    )


@pytest.mark.parametrize(("fraction", "held_out"), [(0.02, 1), (0.001, 0), (0.98, 59)])
def test_a_side_too_small_for_every_class_is_refused(fraction: float, held_out: int) -> None:
    with pytest.raises(DataError) as caught:
        cut(part(20, 20, 20), fraction)
    assert str(caught.value) == (
        f"data.val_fraction={fraction}: expected at least one example of each of the 3 classes on both "
        f"sides, got {held_out} of 60 examples held out. "
        "Set the fraction to 0, or choose one that leaves enough on both sides."
    )


def test_a_cut_at_the_end_keeps_the_file_order() -> None:
    kept, held_out = at_end(part(4, 4, 2), 0.3, key="data.test_fraction")
    assert held_out is not None
    assert kept.indices.tolist() == [5, 6, 7, 8, 9, 10, 11]
    assert held_out.indices.tolist() == [12, 13, 14]


@pytest.mark.parametrize(("fraction", "kept"), [(0.01, 10), (0.99, 0)])
def test_a_cut_at_the_end_that_leaves_a_side_empty_is_refused(fraction: float, kept: int) -> None:
    with pytest.raises(ConfigError) as caught:
        at_end(part(4, 4, 2), fraction, key="data.test_fraction")
    assert str(caught.value) == (
        f"data.test_fraction={fraction}: expected a share that leaves examples on both sides, "
        f"got {kept} of 10 examples kept. Set the fraction to 0, or choose one further from 0 and 1."
    )


@pytest.mark.parametrize(("fraction", "got"), [(1.0, "1"), (-0.1, "-0.1"), (math.nan, "nan"), (20.0, "20")])
def test_a_fraction_outside_its_range_is_refused(fraction: float, got: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_fraction("data.val_fraction", fraction)
    assert str(caught.value) == (
        f"data.val_fraction: expected a number from 0 to below 1, got {got}. "
        "0 holds nothing out; 0.2 holds out a fifth."
    )
