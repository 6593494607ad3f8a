"""Splits: which examples of a source train, validate and test a run."""

from typing import NamedTuple

import numpy as np

from seedbed.data.cut import check_fraction, stratified
from seedbed.data.folds import INNER, OUTER, Folds, chosen
from seedbed.data.source import Part, Source

# Branches of the split stream, so that no partition repeats the draws of another or of the cut.
OUTER_BRANCH, INNER_BRANCH = 0, 1


class Splits(NamedTuple):
    """The cuts that a run makes, a pure function of the split stream.

    Args:
        val_fraction: share of the training examples held out for validation, in [0, 1); not cut where
            there are inner folds.
        outer: the fold that takes the place of the source's own test split, which then stays unread;
            None: no fold.
        inner: the fold of what the outer one leaves that validates; None: no fold.
    """

    val_fraction: float
    outer: Folds | None
    inner: Folds | None

    def of(self, source: Source, stream: int) -> dict[str, Part]:
        """The splits that there are, by name, in the order train, val, test.

        Args:
            source: the examples.
            stream: seed of the split stream; another one is another partition, which all folds share.

        Raises:
            DataError: if a class has too few examples for a cut.
        """
        names = source.class_names
        rest, test = source.train, source.test
        if self.outer is not None:
            rest, test = self.outer.deal(rest, branch(stream, OUTER_BRANCH), names)
        train, val = self._validated(rest, stream, names)
        parts = {"train": train, "val": val, "test": test}
        return {name: part for name, part in parts.items() if part is not None}

    def _validated(self, rest: Part, stream: int, names: tuple[str, ...]) -> tuple[Part, Part | None]:
        if self.inner is None:
            return stratified(rest, self.val_fraction, stream, key="data.val_fraction", class_names=names)
        path = (INNER_BRANCH,) if self.outer is None else (INNER_BRANCH, self.outer.fold)
        return self.inner.deal(rest, branch(stream, *path), names)


def planned(
    *,
    val_fraction: float,
    num_folds: int | None,
    fold: int | None,
    num_inner_folds: int | None,
    inner_fold: int | None,
) -> Splits:
    """The cuts that the keys of a configuration ask for; `DataModule` says what they mean.

    Raises:
        ConfigError: naming the key that is out of its range, or without the one it belongs to.
    """
    check_fraction("data.val_fraction", val_fraction)
    outer = chosen(OUTER, num_folds, fold)
    # The run of a nested study that reads an outer fold is fitted to all of its inner folds.
    inner = chosen(INNER, num_inner_folds, inner_fold, needed=outer is None)
    return Splits(val_fraction, outer, inner)


def branch(stream: int, *path: int) -> int:
    """A seed of 32 bits, all that scikit-learn takes, independent of the stream's and of other paths'."""
    return int(np.random.SeedSequence(stream, spawn_key=path).generate_state(1)[0])
