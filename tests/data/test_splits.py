import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import SplineTransformer

from seedbed.data.identity import SplitIdentity
from seedbed.data.module import DataModule
from seedbed.data.rows import Table
from seedbed.data.source import Part, Source
from seedbed.data.splits import branch, planned
from seedbed.errors import ConfigError
from seedbed.streams import Streams, spawn
from tests.data.tiny import STREAMS, breast_cancer, digits


def ready(data: DataModule, streams: Streams = STREAMS) -> DataModule:
    data.setup(streams)
    return data


def identities(data: DataModule) -> dict[str, SplitIdentity]:
    return {split.split: split for split in data.identity()}


def places(data: DataModule, split: str) -> list[int]:
    return sorted(data._parts[split].indices.tolist())


def test_the_roles_of_two_levels_of_folds() -> None:
    data = ready(breast_cancer(num_folds=10, fold=3, num_inner_folds=5, inner_fold=2, test_fraction=0.0))
    sizes = [(name, split.num_examples) for name, split in identities(data).items()]
    assert sizes == [("train", 410), ("val", 102), ("test", 57)]


def test_every_outer_fold_has_inner_folds_of_its_own() -> None:
    # Every outer fold leaves 16 examples of each class, so one stream would deal all of them alike.
    whole = Part(Table(torch.zeros(60, 1)), torch.arange(60) % 3, torch.arange(60))
    source, keys = Source(whole, None, ("ant", "bee", "cow"), 1.0), {"num_inner_folds": 4, "inner_fold": 0}
    dealt = set()
    for fold in range(5):
        parts = planned(val_fraction=0.0, num_folds=5, fold=fold, **keys).of(source, STREAMS.split)
        rest = torch.cat([parts["train"].indices, parts["val"].indices]).sort().values
        chosen = torch.isin(rest, parts["val"].indices)
        dealt.add(tuple(chosen[whole.labels[rest] == 0].tolist()))
    assert len(dealt) > 1


def test_validation_is_cut_from_what_the_fold_leaves() -> None:
    cut, uncut = (ready(digits(num_folds=5, fold=1, val_fraction=share)) for share in (0.25, 0.0))
    assert places(cut, "test") == places(uncut, "test")
    assert "val" not in identities(uncut)
    assert sorted(places(cut, "train") + places(cut, "val")) == places(uncut, "train")
    assert len(places(cut, "val")) == round(0.25 * len(places(uncut, "train")))


def test_an_inner_fold_takes_the_place_of_the_validation_cut() -> None:
    inner = {"num_inner_folds": 4, "inner_fold": 3}
    one, other = (ready(digits(val_fraction=share, **inner)) for share in (0.25, 0.1))
    assert one.identity() == other.identity()


def test_the_run_that_reads_an_outer_fold_is_fitted_to_all_inner_folds() -> None:
    nested, flat = (ready(digits(num_folds=5, fold=2, num_inner_folds=inner)) for inner in (4, None))
    assert nested.identity() == flat.identity()


def test_inner_folds_alone_leave_the_test_split_as_it_is() -> None:
    plain, folded = ready(digits()), ready(digits(num_inner_folds=5, inner_fold=2))
    assert identities(plain)["test"] == identities(folded)["test"]
    assert places(plain, "val") != places(folded, "val")


def test_without_folds_the_cut_is_the_one_it_has_always_been() -> None:
    # Recorded runs name these places by their digest: another cut would make them impossible to repeat.
    data = ready(digits())
    labels = load_digits().target[:1438]
    seed = STREAMS.split % 2**32
    train, val = train_test_split(np.arange(1438), test_size=360, stratify=labels, random_state=seed)
    assert (places(data, "train"), places(data, "val")) == (sorted(train), sorted(val))


def test_the_identity_tells_folds_from_one_another_and_from_the_test_split_of_the_data() -> None:
    tests = [identities(ready(digits()))["test"]]
    tests += [identities(ready(digits(num_folds=3, fold=fold)))["test"] for fold in range(3)]
    assert len({split.split_digest for split in tests}) == 4
    again = identities(ready(digits(num_folds=3, fold=0, val_fraction=0.0)))["test"]
    assert again == tests[1]


def test_only_the_split_stream_moves_folds() -> None:
    keys = {"num_folds": 5, "fold": 0, "num_inner_folds": 3, "inner_fold": 1}
    here = ready(digits(**keys)).identity()
    assert ready(digits(**keys), spawn(1, {"split": 0})).identity() == here
    assert (
        ready(digits(**keys), spawn(0, {"split": 1})).identity() == ready(digits(**keys), spawn(1)).identity()
    )
    moved = ready(digits(**keys), spawn(0, {"split": 1})).identity()
    assert all(one.split_digest != other.split_digest for one, other in zip(here, moved, strict=True))


def test_folds_need_no_test_split_of_the_data() -> None:
    whole = ready(breast_cancer(test_fraction=0.0, num_folds=10, fold=9, val_fraction=0.0))
    assert sum(split.num_examples for split in whole.identity()) == 569


def test_branches_of_a_stream_are_distinct_and_fit_scikit_learn() -> None:
    seeds = {branch(stream, *path) for stream in (0, 1, 2**63 - 1) for path in ((0,), (1,), (1, 0), (1, 1))}
    assert len(seeds) == 12
    assert all(0 <= seed < 2**32 for seed in seeds)


def test_a_feature_map_learns_from_the_training_folds_alone() -> None:
    spline = SplineTransformer(n_knots=3, degree=1, knots="uniform")
    data = breast_cancer(num_folds=3, fold=0, num_inner_folds=2, inner_fold=0, standardize=False)
    data.setup(STREAMS, features=spline)
    seen = data.raw_examples(1000).numpy()
    assert len(seen) == identities(data)["train"].num_examples
    for column, pieces in enumerate(spline.bsplines_):
        assert pieces.t[1] == pytest.approx(seen[:, column].min())
        assert pieces.t[-2] == pytest.approx(seen[:, column].max())


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        (
            {"num_folds": 5},
            r"^data\.fold: expected a whole number from 0 to 4 with data\.num_folds=5, got null",
        ),
        ({"fold": 1}, r"^data\.fold: expected null without data\.num_folds, got 1"),
        (
            {"num_inner_folds": 1, "inner_fold": 0},
            r"^data\.num_inner_folds: expected 2 or more, or null, got 1",
        ),
        ({"num_inner_folds": 3, "inner_fold": 3}, r"^data\.inner_fold: expected .* from 0 to 2 .*, got 3"),
        ({"num_folds": 5, "fold": 1, "inner_fold": 1}, r"^data\.inner_fold: expected null without"),
    ],
)
def test_keys_that_choose_no_fold_are_refused_before_anything_is_read(
    keys: dict[str, int], told: str
) -> None:
    with pytest.raises(ConfigError, match=told):
        digits(**keys)
