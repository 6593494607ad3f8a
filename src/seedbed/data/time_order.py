"""Time order: what comes last is held out, and nothing is shuffled."""

from typing import NamedTuple

import numpy as np
import torch

from seedbed.data.cut import at_end, check_fraction
from seedbed.data.source import Part, Source
from seedbed.errors import ConfigError

VAL_KEY, NEGATIVE_KEY = "data.val_fraction", "data.negative_fraction"


class TimeOrder(NamedTuple):
    """The cuts of a source whose rows lie in time order.

    Args:
        val_fraction: share at the end of the training examples that validates, in [0, 1).
        negative_fraction: share of the training split's negatives (class 0) that is kept, in (0, 1].
    """

    val_fraction: float
    negative_fraction: float

    def of(self, source: Source, stream: int) -> dict[str, Part]:
        """The splits that there are, by name, in the order train, val, test.

        Args:
            source: the examples, the test split being later than the others.
            stream: seed of the split stream, which chooses the negatives that are kept.
        """
        train, val = at_end(source.train, self.val_fraction, key=VAL_KEY)
        parts = {"train": self._thinned(train, stream), "val": val, "test": source.test}
        return {name: part for name, part in parts.items() if part is not None}

    def _thinned(self, train: Part, stream: int) -> Part:
        if self.negative_fraction == 1:
            return train
        drawn = torch.from_numpy(np.random.default_rng(stream).random(len(train.indices)))
        kept = (drawn < self.negative_fraction) | (train.labels[train.indices] != 0)
        return train._replace(indices=train.indices[kept])


def planned(val_fraction: float, negative_fraction: float) -> TimeOrder:
    """The cuts that two keys ask for.

    Raises:
        ConfigError: naming the key that is out of its range.
    """
    check_fraction(VAL_KEY, val_fraction)
    if not 0 < negative_fraction <= 1:
        raise ConfigError(
            NEGATIVE_KEY,
            expected="a number above 0 and at most 1",
            got=f"{negative_fraction:g}",
            do="1 keeps every negative of the training split; 0.1 keeps a tenth.",
        )
    return TimeOrder(val_fraction, negative_fraction)


def check_nothing_shuffles(*, standardize: bool, **folds: int | None) -> None:
    """Refuses what would mix early rows with late ones, and to standardise codes.

    Args:
        standardize: the key of that name.
        folds: the keys that deal folds, by name.

    Raises:
        ConfigError: naming the key.
    """
    for name, value in folds.items():
        if value is not None:
            raise ConfigError(
                f"data.{name}",
                expected="null: clicks are split in time order only",
                got=str(value),
                do="Leave it out; data.val_fraction and data.test_fraction hold out what comes last.",
            )
    if standardize:
        raise ConfigError(
            "data.standardize",
            expected="false, because codes are names of categories",
            got="true",
            do="Leave it out.",
        )
