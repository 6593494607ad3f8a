"""Splits: which examples of a source train, validate and test a run."""

from typing import NamedTuple

import numpy as np

from seedbed.data.cut import stratified
from seedbed.data.folds import Folds
from seedbed.data.source import Part, Source

# Branches of the split stream, so that no partition repeats the draws of another or of the cut.
OUTER, INNER = 0, 1


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
            rest, test = self.outer.deal(rest, branch(stream, OUTER), names)
        train, val = self._validated(rest, stream, names)
        parts = {"train": train, "val": val, "test": test}
        return {name: part for name, part in parts.items() if part is not None}

    def _validated(self, rest: Part, stream: int, names: tuple[str, ...]) -> tuple[Part, Part | None]:
        if self.inner is None:
            return stratified(rest, self.val_fraction, stream, key="data.val_fraction", class_names=names)
        path = (INNER,) if self.outer is None else (INNER, self.outer.fold)
        return self.inner.deal(rest, branch(stream, *path), names)


def branch(stream: int, *path: int) -> int:
    """A seed of 32 bits, all that scikit-learn takes, independent of the stream's and of other paths'."""
    return int(np.random.SeedSequence(stream, spawn_key=path).generate_state(1)[0])
