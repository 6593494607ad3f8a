"""The data module: one source, cut into splits and handed out in batches."""

import abc
from collections.abc import Hashable, Iterator
from pathlib import Path
from typing import ClassVar

import torch
from torch import nn

from seedbed.data.augmentation import Augmentation
from seedbed.data.features import FeatureMap, mapped
from seedbed.data.identity import SplitIdentity, identify
from seedbed.data.loader import Loader, Shard, check_batch_size
from seedbed.data.preprocessing import Preprocessing, fitted
from seedbed.data.rows import Raw, chunk_size
from seedbed.data.source import Part, Source, remembered
from seedbed.data.splits import Splits, planned
from seedbed.data.time_order import TimeOrder
from seedbed.errors import ConfigError
from seedbed.shapes import Batch, Facts, Indices, Labels
from seedbed.streams import Streams

CPU = torch.device("cpu")


class DataModule(abc.ABC):
    """A source of examples with its splits; final subclasses say where the examples come from.

    Args:
        batch_size: examples an optimiser step over all processes, 1 or more; None: the whole split.
        val_fraction: share of the training examples held out for validation, in [0, 1).
        num_folds: stratified folds that the examples open to training are dealt into, 2 or more; None:
            no folds.
        fold: the fold that is the test split, in place of the source's own.
        num_inner_folds: folds that the other examples are dealt into once more, 2 or more; None: no folds.
        inner_fold: the inner fold that is the validation split, in place of the cut by `val_fraction`;
            None beside `fold`: fit to all of them, with that cut.
        standardize: subtract the mean and divide by the sd, a channel or column, of the training split.

    Attributes:
        source: where the examples come from, for people.
        facts: what a model must be told; `input_shape` is what the network sees. After `setup`.
        preprocessing: from raw inputs to what the network (or the feature map) sees. After `setup`.
        feature_map: the fitted scikit-learn transformer, or None. After `setup`.
        column_names: of a table, in order; empty for images. After `setup`.

    Raises:
        ConfigError: naming the key that is out of its range.
    """

    shuffles: ClassVar[bool] = True
    """Whether each epoch has an order of its own; False: rows are learnt from as they lie in the file."""

    source: str
    facts: Facts
    preprocessing: Preprocessing
    feature_map: FeatureMap | None
    column_names: tuple[str, ...]

    def __init__(
        self,
        *,
        batch_size: int | None,
        val_fraction: float,
        num_folds: int | None,
        fold: int | None,
        num_inner_folds: int | None,
        inner_fold: int | None,
        standardize: bool,
    ) -> None:
        check_batch_size(batch_size)
        self._splits: Splits | TimeOrder = planned(
            val_fraction=val_fraction,
            num_folds=num_folds,
            fold=fold,
            num_inner_folds=num_inner_folds,
            inner_fold=inner_fold,
        )
        self._batch_size, self._standardize = batch_size, standardize

    @abc.abstractmethod
    def _locate(self) -> Hashable:
        """Finds the files, fetching them if that is allowed; differs whenever `_read` could."""

    @abc.abstractmethod
    def _read(self) -> Source:
        """Reads and decodes the files that `_locate` found."""

    def files(self) -> dict[str, Path]:
        """What is read from `data.root`, by its path below it; nothing of data that comes installed."""
        return {}

    def _fitted(self, train: Part, full_scale: float) -> Preprocessing:
        """What is done to raw inputs, from the training split; `full_scale` becomes 1."""
        return fitted(train, full_scale=full_scale, standardize=self._standardize)

    def _augmentation(self, stream: int, shape: tuple[int, ...]) -> Augmentation | None:  # noqa: ARG002
        """What is done to raw training batches of this shape; nothing unless a subclass says so."""
        return None

    def _facts(self, input_shape: tuple[int, ...], class_names: tuple[str, ...]) -> Facts:
        """What a model must be told."""
        return Facts(input_shape, len(class_names), class_names)

    def setup(
        self,
        streams: Streams,
        *,
        dtype: torch.dtype = torch.float32,
        device: torch.device = CPU,
        features: FeatureMap | None = None,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        """Reads the source (or finds it in this process), cuts it and fits the preprocessing.

        Args:
            streams: split decides cuts and folds; order and augmentation drive the training loader.
            dtype: floating type of the inputs a network sees.
            device: where the data is held.
            features: transformer applied once to all examples, flattened to rows.
            rank: this process, 0 <= rank < world_size.
            world_size: number of processes that share each batch.

        Raises:
            DataError: for files that are missing or broken, or content that no classifier can learn.
            ConfigError: for settings that this content makes impossible or idle.
        """
        source = remembered((type(self), self._locate()), self._read)
        self._parts, names = self._splits.of(source, streams.split), source.class_names
        self.column_names = source.column_names
        train = self._parts["train"]
        check_batch_size(self._batch_size, len(train.indices))
        self._order_stream, self._shard = streams.order, Shard(rank, world_size)
        self._augment = self._augmentation(streams.augmentation, train.rows.shape)
        exact = self._fitted(train, source.full_scale)
        self._held = self._hold(exact, features, dtype, device)
        self.preprocessing, self.feature_map = exact.to(dtype=dtype, device=device), features
        self.facts = self._facts(self._held["train"].rows.shape, names)

    def train_dataloader(self) -> Loader:
        """Augmented batches of the training split, shuffled unless the data lies in time order."""
        return Loader(
            self._held["train"],
            batch_size=self._batch_size or len(self._held["train"].indices),
            preprocessing=self._input_map(),
            order_stream=self._order_stream if self.shuffles else None,
            augmentation=self._augment,
            shard=self._shard,
        )

    def val_dataloader(self) -> Loader | None:
        """The validation split in file order; None where nothing was held out."""
        return self._evaluation_loader("val")

    def test_dataloader(self) -> Loader | None:
        """The test split in file order; None where the data has none."""
        return self._evaluation_loader("test")

    def identity(self) -> list[SplitIdentity]:
        """Digests and sizes of every split there is, in the order train, val, test."""
        return [identify(name, part, self.facts.class_names) for name, part in self._parts.items()]

    def raw_examples(self, num_examples: int) -> Raw:
        """The first training examples as the files hold them: what a served model takes."""
        train = self._parts["train"]
        (raw,) = train.rows.batches([train.indices[:num_examples]])
        return raw

    def raw_of(self, split: str, indices: Indices) -> Raw:
        """These examples of a split as the files hold them; indices as batches tell them."""
        (raw,) = self._parts[split].rows.batches([indices])
        return raw

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits there are, in the order train, val, test. After `setup`."""
        return tuple(self._parts)

    def raw_batches(self, split: str, num_examples: int) -> Iterator[tuple[Raw, Labels, Indices]]:
        """A split as the files hold it, in file order: for a model that brings its own preprocessing.

        Args:
            split: one of `splits`.
            num_examples: in a batch, 1 or more.
        """
        part = self._parts[split]
        chunks = torch.split(part.indices, num_examples)
        for chunk, raw in zip(chunks, part.rows.batches(chunks), strict=True):
            yield raw, part.labels[chunk], chunk

    def train_inputs(self) -> Iterator[Batch]:
        """The training split as a network sees it, not augmented, in file order."""
        return iter(
            Loader(
                self._held["train"],
                batch_size=chunk_size(self.facts.input_shape),
                preprocessing=self._input_map(),
            )
        )

    def num_examples(self, split: str) -> int:
        """Examples of this split over all processes; 0 where there is no such split."""
        return len(self._held[split].indices) if split in self._held else 0

    def spread(self, split: str, most: int) -> Iterator[Batch]:
        """At most so many examples of a split as a network sees them, evenly spaced in file order.

        Every process gets all of them.

        Args:
            split: train, val or test, of those that there are.
            most: examples, 1 or more.
        """
        part = self._held[split]
        count = min(most, len(part.indices))
        places = torch.arange(count, device=part.indices.device) * len(part.indices) // count
        chosen = Part(part.rows, part.labels, part.indices[places])
        return iter(
            Loader(chosen, batch_size=chunk_size(self.facts.input_shape), preprocessing=self._input_map())
        )

    def _evaluation_loader(self, split: str) -> Loader | None:
        if split not in self._held:
            return None
        return Loader(
            self._held[split],
            batch_size=chunk_size(self.facts.input_shape),
            preprocessing=self._input_map(),
            shard=self._shard,
        )

    def _input_map(self) -> nn.Module:
        """What a loader still has to do: features were preprocessed and mapped when they were held."""
        return self.preprocessing if self.feature_map is None else nn.Identity()

    def _hold(
        self, exact: Preprocessing, features: FeatureMap | None, dtype: torch.dtype, device: torch.device
    ) -> dict[str, Part]:
        """The splits on the device, each source file once, mapped to features if there are any."""
        held = {id(part.rows): part.rows for part in self._parts.values()}
        if features is not None:
            self._refuse_augmentation()
            held = mapped(features, exact, held, self._parts["train"], dtype)
        held = {file: rows.to(device) for file, rows in held.items()}
        return {
            name: Part(held[id(part.rows)], part.labels.to(device), part.indices.to(device))
            for name, part in self._parts.items()
        }

    def _refuse_augmentation(self) -> None:
        if self._augment is not None:
            raise ConfigError(
                "features",
                expected="no augmentation, because the map sees every image once, before training",
                got="data.crop_padding above 0 or data.flip=true",
                do="Set data.crop_padding=0 data.flip=false, or features=null.",
            )
