"""Clicks: logs in the public formats, and a population whose truth is known."""

import math
from collections.abc import Hashable
from pathlib import Path
from typing import ClassVar, Unpack, final

import numpy as np
import torch

from seedbed.data import time_order
from seedbed.data.click_cache import ClickCache, as_tensor, fingerprint
from seedbed.data.click_format import AVAZU, CRITEO, Format
from seedbed.data.coded_rows import HeldCodes
from seedbed.data.codes import codes_of_texts
from seedbed.data.cut import at_end, check_fraction
from seedbed.data.features import FeatureMap
from seedbed.data.keys import DataKeys
from seedbed.data.module import CPU, DataModule
from seedbed.data.population import Population
from seedbed.data.source import Source, whole
from seedbed.errors import ConfigError
from seedbed.shapes import Facts
from seedbed.streams import Streams

TEST_KEY = "data.test_fraction"
CLASS_NAMES = ("no click", "click")
# The population of `data=clicks` is one and the same for every run.
POPULATION_SEED = 0


class Clicks(DataModule):
    """Rows of categories in time order, as codes, and whether each was clicked on.

    The last rows are the test split, those before them validate, and training goes through the rest as
    it lies: `train/loss` of the first epoch is then that of progressive validation, because each batch is
    judged before it is learnt from.

    Args:
        test_fraction: share at the end of the file kept as the test split, in [0, 1).
        negative_fraction: share of the training split's rows without a click that is kept, in (0, 1]. What
            this adds to the log odds is taken off again, so that probabilities are those of all rows.
        common: the keys of `DataModule`.

    Raises:
        ConfigError: naming the key that is out of its range, or would shuffle rows.

    Source: McMahan et al. (2013), "Ad click prediction: a view from the trenches", sections 4.5 and 5.1.
    """

    shuffles: ClassVar[bool] = False

    def __init__(self, *, test_fraction: float, negative_fraction: float, **common: Unpack[DataKeys]) -> None:
        folds = {name: common[name] for name in ("num_folds", "fold", "num_inner_folds", "inner_fold")}
        time_order.check_nothing_shuffles(standardize=common["standardize"], **folds)
        super().__init__(**common)
        check_fraction(TEST_KEY, test_fraction)
        self._splits = time_order.planned(common["val_fraction"], negative_fraction)
        self._test_fraction, self._negative_fraction = test_fraction, negative_fraction

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
        if features is not None:
            raise ConfigError(
                "features",
                expected="null, because codes are names of categories",
                got=type(features).__name__,
                do="Set features=null.",
            )
        super().setup(streams, dtype=dtype, device=device, rank=rank, world_size=world_size)

    def _facts(self, input_shape: tuple[int, ...], class_names: tuple[str, ...]) -> Facts:
        offset = -math.log(self._negative_fraction)
        return Facts(input_shape, len(class_names), class_names, coded=True, training_offset=offset)


@final
class ClickLog(Clicks):
    """A file in Criteo's or Avazu's format, read in pieces, its codes kept on disk.

    In memory are labels and places alone, 16 bytes a row.

    Args:
        format: criteo or avazu.
        root: folder of the file.
        file: its name; one that ends in `.gz` is unpacked as it is read.
        cache_dir: folder that keeps the codes between runs, 4 bytes a field of a row.
        common: the keys of `Clicks`.

    Raises:
        ConfigError: for another format, or a key out of its range.
    """

    def __init__(
        self,
        *,
        format: str,  # noqa: A002 - the key's name
        root: str,
        file: str,
        cache_dir: str,
        test_fraction: float,
        negative_fraction: float,
        **common: Unpack[DataKeys],
    ) -> None:
        super().__init__(test_fraction=test_fraction, negative_fraction=negative_fraction, **common)
        self._format, self._root = _format_called(format), Path(root).expanduser().resolve()
        self._path, self._cache_dir = self._root / file, Path(cache_dir).expanduser()
        self.source = f"{self._format.name} log {self._path}"

    def files(self) -> dict[str, Path]:
        return {str(self._path.relative_to(self._root)): self._path}

    def _locate(self) -> Hashable:
        return (self._format.name, self._path, fingerprint(self._path), self._test_fraction)

    def _read(self) -> Source:
        rows, labels = ClickCache(self._cache_dir, self._path, self._format).read()
        train, test = at_end(whole(rows, as_tensor(labels)), self._test_fraction, key=TEST_KEY)
        return Source(train, test, CLASS_NAMES, full_scale=1.0, column_names=self._format.fields)


@final
class GeneratedClicks(Clicks):
    """Rows of a population whose every probability is known: nothing to fetch, and a loss to reach.

    Args:
        num_rows: 1 or more; more are the same ones and some behind them.
        num_fields: of a row, 1 or more.
        num_categories: of each field, 1 or more.
        zipf_exponent: frequency falls with rank to minus this power, 0 or more.
        base_rate: mean probability of a click, in (0, 1).
        common: the keys of `Clicks`.

    Raises:
        ConfigError: naming the key that is out of its range.
    """

    def __init__(
        self,
        *,
        num_rows: int,
        num_fields: int,
        num_categories: int,
        zipf_exponent: float,
        base_rate: float,
        test_fraction: float,
        negative_fraction: float,
        **common: Unpack[DataKeys],
    ) -> None:
        super().__init__(test_fraction=test_fraction, negative_fraction=negative_fraction, **common)
        for name, count in (
            ("num_rows", num_rows),
            ("num_fields", num_fields),
            ("num_categories", num_categories),
        ):
            _check(name, "1 or more", count, count >= 1)
        _check("zipf_exponent", "0 or more", zipf_exponent, zipf_exponent >= 0)
        _check("base_rate", "a number above 0 and below 1", base_rate, 0 < base_rate < 1)
        self._arguments = (num_rows, num_fields, num_categories, zipf_exponent, base_rate)
        self.source = f"population of clicks {POPULATION_SEED}"

    @property
    def population(self) -> Population:
        """Where the rows come from, with the truth about them."""
        _, num_fields, num_categories, zipf_exponent, base_rate = self._arguments
        counts = [int(num_categories)] * int(num_fields)
        return Population(counts, zipf_exponent=zipf_exponent, base_rate=base_rate, seed=POPULATION_SEED)

    def _locate(self) -> Hashable:
        return (self._arguments, self._test_fraction)

    def _read(self) -> Source:
        num_rows, num_fields, num_categories, *_ = map(int, self._arguments)
        names = tuple(f"F{place}" for place in range(1, num_fields + 1))
        categories = [str(category) for category in range(num_categories)]
        table = np.stack([codes_of_texts(categories, name) for name in names])
        lots = list(self.population.lots(0, num_rows))
        codes = [table[np.arange(num_fields), lot.categories] for lot in lots]
        labels = torch.from_numpy(np.concatenate([lot.clicks for lot in lots]))
        rows = HeldCodes(torch.from_numpy(np.concatenate(codes)))
        train, test = at_end(whole(rows, labels), self._test_fraction, key=TEST_KEY)
        return Source(train, test, CLASS_NAMES, full_scale=1.0, column_names=names)


def _format_called(name: str) -> Format:
    formats = {"criteo": CRITEO, "avazu": AVAZU}
    if name not in formats:
        raise ConfigError(
            "data.format", expected="one of " + ", ".join(formats), got=repr(name), do="Choose one of them."
        )
    return formats[name]


def _check(name: str, expected: str, value: int | float, fits: bool) -> None:
    if not fits:
        raise ConfigError(f"data.{name}", expected=expected, got=f"{value:g}", do="Correct the key.")
