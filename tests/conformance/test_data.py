"""What holds of every data module: a new file in `conf/data` gets these tests for nothing.

Published sets and image folders read tiny files that a fixture writes; embedded sets are themselves.
"""

import functools
import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import hydra.utils
import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.errors import InstantiationException

from seedbed import config
from seedbed.data.loader import Loader
from seedbed.data.module import DataModule
from seedbed.data.rows import Images, Rows, Table
from seedbed.data.source import Source, forget
from seedbed.streams import Streams, spawn
from tests.data.clicks import write_log
from tests.data.tiny import write_cifar, write_folder, write_mnist

OPTIONS = sorted(file.stem for file in (config.folder() / "data").glob("*.yaml"))
# Sources whose rows lie in time order: nothing is shuffled, and no seed cuts.
IN_TIME_ORDER = ["avazu", "clicks", "criteo"]
SHUFFLED = [option for option in OPTIONS if option not in IN_TIME_ORDER]
shuffled = pytest.mark.parametrize("make", SHUFFLED, indirect=True)
in_time_order = pytest.mark.parametrize("make", IN_TIME_ORDER, indirect=True)
STREAMS = spawn(0)
# Small enough that every option, cut to tiny files, has several batches and a partial last one.
BATCH, VAL_FRACTION = 16, 0.25
# Keys that make each image of each epoch its own, for the options that have them.
AUGMENTED: dict[str, Any] = {"crop_padding": 1, "flip": True}
PLAIN: dict[str, Any] = {"crop_padding": 0, "flip": False}

# As many as the tiny files' classes have examples for; nothing else is cut.
OUTER: dict[str, Any] = {"num_folds": 3, "val_fraction": 0.0}

Make = Callable[..., DataModule]


class Pass(NamedTuple):
    """A loader read once: all examples in the order in which they came."""

    indices: torch.Tensor
    inputs: torch.Tensor
    labels: torch.Tensor

    def by_place(self) -> torch.Tensor:
        """Inputs in file order."""
        return self.inputs[self.indices.argsort()]


def read(loader: Loader, epoch: int = 0) -> Pass:
    loader.sampler.set_epoch(epoch)
    batches = list(loader)
    return Pass(
        torch.cat([batch.indices for batch in batches]),
        torch.cat([batch.inputs for batch in batches]),
        torch.cat([batch.labels for batch in batches]),
    )


def evaluation(data: DataModule) -> dict[str, Loader]:
    loaders = {"val": data.val_dataloader(), "test": data.test_dataloader()}
    return {split: loader for split, loader in loaders.items() if loader is not None}


@pytest.fixture(params=OPTIONS)
def make(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Builds the option from its own YAML, on tiny files where it needs any, with keys replaced as told."""
    keys, root = option_keys(request.param), tmp_path / "data"
    write_files(keys, root, monkeypatch)
    places = {"root": str(root), "cache_dir": str(tmp_path / "cache"), "image_size": 8, "num_workers": 0}
    places |= {"num_rows": 300, "num_categories": 5}
    smaller = {
        "batch_size": keys["batch_size"] and BATCH,
        "val_fraction": keys["val_fraction"] and VAL_FRACTION,
    }

    def build(**changes: Any) -> DataModule:
        told = places | smaller | AUGMENTED | changes
        used = {key: value for key, value in told.items() if key in keys}
        module: DataModule = hydra.utils.instantiate(keys | used)
        return module

    return build


def write_files(keys: dict[str, Any], root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if "MNIST" in keys.get("dataset", ""):
        write_mnist(root, keys["dataset"])
    elif "dataset" in keys:
        write_cifar(root, keys["dataset"], monkeypatch)
    elif "image_size" in keys:
        write_folder(root)
    elif "format" in keys:
        write_log(root / "log", keys["format"], 300)
        content = (root / "log").read_bytes()
        packed = keys["file"].endswith(".gz")
        (root / keys["file"]).write_bytes(gzip.compress(content) if packed else content)


@functools.cache
def option_keys(option: str) -> dict[str, Any]:
    config.register()
    with initialize_config_dir(str(config.folder()), version_base="1.3"):
        composed = compose("train", [f"data={option}"]).data
    return {str(key): None if key == "root" else composed[key] for key in composed}


def ready(module: DataModule, streams: Streams = STREAMS, **keys: Any) -> DataModule:
    module.setup(streams, **keys)
    return module


def test_an_epoch_and_the_validation_split_hold_every_training_example_once(make: Make) -> None:
    data = ready(make())
    seen = [read(data.train_dataloader()), *(read(loader) for loader in evaluation(data).values())]
    indices = [one.indices for one in seen]
    for split, one in zip(data.identity(), indices, strict=True):
        assert len(set(one.tolist())) == len(one) == split.num_examples
    if "val" in evaluation(data):
        whole = read(ready(make(val_fraction=0.0)).train_dataloader()).indices
        assert torch.equal(torch.cat(indices[:2]).sort().values, whole.sort().values)


def test_no_two_splits_share_an_example(make: Make) -> None:
    data = ready(make())
    train, places = data.identity()[0], read(data.train_dataloader()).indices
    for split in data.identity()[1:]:
        loader = evaluation(data)[split.split]
        if split.content_digest == train.content_digest:
            both = torch.cat([places, read(loader).indices])
            assert len(set(both.tolist())) == len(both)
            places = both


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_batches_are_what_the_facts_say(make: Make, dtype: torch.dtype) -> None:
    data = ready(make(), dtype=dtype)
    facts = data.facts
    assert facts.num_classes == len(facts.class_names) == len(set(facts.class_names)) >= 2
    for loader in (data.train_dataloader(), *evaluation(data).values()):
        for batch in loader:
            assert batch.inputs.shape == (len(batch.labels), *facts.input_shape)
            assert (batch.inputs.dtype, batch.labels.dtype) == (dtype, torch.int64)
            assert batch.inputs.isfinite().all()
            assert 0 <= batch.labels.min() <= batch.labels.max() < facts.num_classes


def test_the_identity_counts_what_the_loaders_give(make: Make) -> None:
    data = ready(make())
    loaders = {"train": data.train_dataloader(), **evaluation(data)}
    assert [split.split for split in data.identity()] == list(loaders)
    for split in data.identity():
        labels = read(loaders[split.split]).labels
        assert split.class_counts == tuple(torch.bincount(labels, minlength=data.facts.num_classes).tolist())
        assert len(labels) == loaders[split.split].num_examples == split.num_examples


@pytest.mark.parametrize("world_size", [2, 3])
def test_processes_together_see_what_one_would_see(make: Make, world_size: int) -> None:
    alone = ready(make())
    shards = [ready(make(), rank=rank, world_size=world_size) for rank in range(world_size)]
    whole = read(alone.train_dataloader(), epoch=1)
    parts = [read(shard.train_dataloader(), epoch=1) for shard in shards]
    together = Pass(*(torch.cat(columns) for columns in zip(*parts, strict=True)))
    assert torch.equal(together.indices.sort().values, whole.indices.sort().values)
    assert torch.equal(together.by_place(), whole.by_place())
    for split, loader in evaluation(alone).items():
        dealt = torch.cat([read(evaluation(shard)[split]).indices for shard in shards])
        assert torch.equal(dealt.sort().values, read(loader).indices)


@shuffled
def test_each_epoch_has_its_own_order_and_comes_again_as_it_was(make: Make) -> None:
    loader = ready(make()).train_dataloader()
    first, second, again = (read(loader, epoch) for epoch in (0, 1, 0))
    assert not torch.equal(first.indices, second.indices)
    assert torch.equal(first.indices, again.indices)
    assert torch.equal(first.inputs, again.inputs)


def test_the_same_streams_give_the_same_bits(make: Make) -> None:
    one, other = ready(make()), ready(make())
    for mine, theirs in zip(
        (one.train_dataloader(), *evaluation(one).values()),
        (other.train_dataloader(), *evaluation(other).values()),
        strict=True,
    ):
        assert all(torch.equal(part, same) for part, same in zip(read(mine), read(theirs), strict=True))
    assert one.identity() == other.identity()


def test_evaluation_goes_in_file_order_and_is_never_augmented(make: Make) -> None:
    augmented, plain = ready(make()), ready(make(**PLAIN))
    for split, loader in evaluation(augmented).items():
        once = read(loader, epoch=3)
        assert torch.equal(once.indices, once.indices.sort().values)
        assert torch.equal(once.inputs, read(evaluation(plain)[split]).inputs)


@shuffled
def test_the_split_stream_moves_the_cut_and_nothing_else(make: Make) -> None:
    # Not standardised, because the statistics belong to the cut.
    one = ready(make(standardize=False))
    other = ready(make(standardize=False), STREAMS._replace(split=spawn(1).split))
    mine, theirs = read(one.train_dataloader()), read(other.train_dataloader())
    if "val" not in evaluation(one):
        assert torch.equal(mine.indices, theirs.indices)
        return
    assert set(mine.indices.tolist()) != set(theirs.indices.tolist())
    both = sorted(set(mine.indices.tolist()) & set(theirs.indices.tolist()))
    assert both
    for place in both:
        assert torch.equal(mine.inputs[mine.indices == place], theirs.inputs[theirs.indices == place])
    tests = [split for data in (one, other) for split in data.identity() if split.split == "test"]
    assert len(set(tests)) <= 1


@shuffled
def test_the_order_stream_moves_the_order_and_nothing_else(make: Make) -> None:
    one, other = ready(make()), ready(make(), STREAMS._replace(order=spawn(1).order))
    mine, theirs = read(one.train_dataloader()), read(other.train_dataloader())
    assert not torch.equal(mine.indices, theirs.indices)
    assert torch.equal(mine.by_place(), theirs.by_place())
    assert one.identity() == other.identity()


def test_the_augmentation_stream_moves_the_pixels_and_nothing_else(make: Make) -> None:
    moved = STREAMS._replace(augmentation=spawn(1).augmentation)
    one, other, plain = ready(make()), ready(make(), moved), ready(make(**PLAIN), moved)
    mine, theirs = read(one.train_dataloader()), read(other.train_dataloader())
    assert torch.equal(mine.indices, theirs.indices)
    assert torch.equal(mine.labels, theirs.labels)
    assert one.identity() == other.identity()
    is_image = len(one.facts.input_shape) == 3
    assert torch.equal(mine.inputs, theirs.inputs) is not is_image
    assert torch.equal(read(plain.train_dataloader()).inputs, theirs.inputs) is not is_image


def test_the_init_and_dropout_streams_move_nothing(make: Make) -> None:
    moved = STREAMS._replace(init=spawn(1).init, dropout=spawn(1).dropout)
    one, other = read(ready(make()).train_dataloader()), read(ready(make(), moved).train_dataloader())
    assert all(torch.equal(mine, theirs) for mine, theirs in zip(one, other, strict=True))


@shuffled
def test_folds_deal_the_training_examples_and_nothing_else(make: Make) -> None:
    whole = read(ready(make(val_fraction=0.0)).train_dataloader()).indices.sort().values
    held_out = []
    for fold in range(3):
        data = ready(make(**OUTER, fold=fold))
        train, test = (read(loader).indices for loader in (data.train_dataloader(), evaluation(data)["test"]))
        assert torch.equal(torch.cat([train, test]).sort().values, whole)
        assert {split.content_digest for split in data.identity()} == {data.identity()[0].content_digest}
        held_out.append(test)
    assert torch.equal(torch.cat(held_out).sort().values, whole)


@shuffled
def test_no_fold_is_taken_for_the_test_split_of_the_data_nor_for_another(make: Make) -> None:
    alone = [split for split in ready(make()).identity() if split.split == "test"]
    folds = [ready(make(**OUTER, fold=fold)).identity()[-1] for fold in range(3)]
    tests = {(split.content_digest, split.split_digest) for split in alone + folds}
    assert len(tests) == len(alone) + 3


@shuffled
def test_folds_keep_the_proportions_of_the_classes(make: Make) -> None:
    tests = [ready(make(**OUTER, fold=fold)).identity()[-1] for fold in range(3)]
    counts = torch.tensor([split.class_counts for split in tests])
    assert ((counts.amax(0) - counts.amin(0)) <= 1).all()


@shuffled
def test_inner_folds_deal_what_the_outer_fold_leaves(make: Make) -> None:
    outer = ready(make(**OUTER, fold=1))
    rest, test = read(outer.train_dataloader()).indices, read(evaluation(outer)["test"]).indices
    held_out = []
    for fold in range(2):
        data = ready(make(**OUTER, fold=1, num_inner_folds=2, inner_fold=fold))
        loaders = evaluation(data)
        assert torch.equal(read(loaders["test"]).indices, test)
        held_out.append(read(loaders["val"]).indices)
        trained = read(data.train_dataloader()).indices
        assert torch.equal(torch.cat([trained, held_out[-1]]).sort().values, rest.sort().values)
    assert torch.equal(torch.cat(held_out).sort().values, rest.sort().values)


@shuffled
def test_another_split_stream_is_another_partition(make: Make) -> None:
    moved = STREAMS._replace(split=spawn(1).split)
    one, other = (ready(make(**OUTER, fold=0), streams).identity()[-1] for streams in (STREAMS, moved))
    assert one.split_digest != other.split_digest


@shuffled
def test_what_is_held_out_cannot_reach_a_training_input(
    make: Make, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    keys = OUTER | {"fold": 1, "num_inner_folds": 2, "inner_fold": 0, "standardize": True}
    before = ready(make(**keys))
    held_out = torch.cat([read(loader).indices for loader in evaluation(before).values()])
    _alter(type(before), held_out, monkeypatch)
    request.addfinalizer(forget)
    forget()
    after = ready(make(**keys))
    mine, theirs = read(before.train_dataloader()), read(after.train_dataloader())
    assert all(torch.equal(one, other) for one, other in zip(mine, theirs, strict=True))
    for split, loader in evaluation(before).items():
        assert (read(loader).inputs != read(evaluation(after)[split]).inputs).flatten(1).any(1).all()


def _alter(kind: type[DataModule], places: torch.Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets modules of this kind read other values at some places of the training file."""
    read_source = kind._read

    def altered(data: DataModule) -> Source:
        source = read_source(data)
        return source._replace(train=source.train._replace(rows=_other(source.train.rows, places)))

    monkeypatch.setattr(kind, "_read", altered)


def _other(rows: Rows, places: torch.Tensor) -> Rows:
    if isinstance(rows, Table):
        values = rows.values.clone()
        values[places] = 1000 - values[places]
        return Table(values)
    assert isinstance(rows, Images)
    pixels = rows.pixels.clone()
    pixels[places] = 255 - pixels[places]
    return Images(pixels)


@in_time_order
def test_what_comes_last_is_held_out_and_training_goes_in_file_order(make: Make) -> None:
    data = ready(make())
    train, val, test = (
        read(loader, epoch=2).indices for loader in (data.train_dataloader(), *evaluation(data).values())
    )
    assert torch.equal(torch.cat([train, val, test]), torch.arange(300))
    assert (len(test), len(val)) == (30, round(0.25 * 270))


@in_time_order
def test_no_stream_moves_anything_where_all_negatives_are_kept(make: Make) -> None:
    one, other = ready(make()), ready(make(), spawn(1))
    mine, theirs = read(one.train_dataloader()), read(other.train_dataloader())
    assert all(torch.equal(part, same) for part, same in zip(mine, theirs, strict=True))
    assert one.identity() == other.identity()


@in_time_order
@pytest.mark.parametrize("key", ["num_folds", "fold", "num_inner_folds", "inner_fold"])
def test_folds_of_rows_in_time_order_are_refused(make: Make, key: str) -> None:
    with pytest.raises(InstantiationException) as caught:
        make(**{key: 2})
    assert str(caught.value.__cause__) == (
        f"data.{key}: expected null: clicks are split in time order only, got 2. "
        "Leave it out; data.val_fraction and data.test_fraction hold out what comes last."
    )
