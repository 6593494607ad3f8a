"""Folds: examples dealt into parts of equal make-up, one of which a run holds out."""

from typing import NamedTuple

import torch

from seedbed.data.source import Part
from seedbed.errors import ConfigError, DataError
from seedbed.shapes import Labels


class Keys(NamedTuple):
    """Configuration keys that choose a fold, and the command that runs every fold, for messages."""

    num_folds: str
    fold: str
    every_fold: str


OUTER = Keys("data.num_folds", "data.fold", "seedbed train -m study=cross_validation")
INNER = Keys("data.num_inner_folds", "data.inner_fold", "seedbed train -m 'data.inner_fold=range(0,{})'")


class Folds(NamedTuple):
    """One fold of several.

    Args:
        key: configuration key of the number of folds, for messages.
        num_folds: 2 or more.
        fold: the one that is held out, 0 <= fold < num_folds.
    """

    key: str
    num_folds: int
    fold: int

    def deal(self, part: Part, seed: int, class_names: tuple[str, ...]) -> tuple[Part, Part]:
        """Deals a split into folds and holds one out; a seed gives every fold the same partition.

        Between folds the examples of a class differ by one at most, and so do all examples.

        Args:
            part: the examples to be dealt.
            seed: of the partition, 0 <= seed < 2^32.
            class_names: names of the classes, for the message.

        Returns:
            The examples of all other folds and those of this one, each in file order.

        Raises:
            DataError: if a class has fewer examples than there are folds.

        Source: M. Stone (1974), "Cross-validatory choice and assessment of statistical predictions".
        """
        from sklearn.model_selection import StratifiedKFold  # half a second that other runs are spared

        strata = part.labels[part.indices]
        self._check_strata(strata, class_names)
        partition = StratifiedKFold(self.num_folds, shuffle=True, random_state=seed)
        sides = list(partition.split(strata.numpy(), strata.numpy()))[self.fold]
        kept, held_out = (part._replace(indices=part.indices[torch.from_numpy(side)]) for side in sides)
        return kept, held_out

    def _check_strata(self, strata: Labels, class_names: tuple[str, ...]) -> None:
        counts = torch.bincount(strata, minlength=len(class_names)).tolist()
        rare = {
            name: count for name, count in zip(class_names, counts, strict=True) if 0 < count < self.num_folds
        }
        if rare:
            least = min(rare.values())
            lower = f"Set {self.key} to {least} or less, or add" if least > 1 else "Add"
            raise DataError(
                f"{self.key}={self.num_folds}",
                expected="an example of every class in every fold",
                got=", ".join(f"{count} of class {name}" for name, count in rare.items()),
                do=f"{lower} examples of it, or remove the class.",
            )


def chosen(keys: Keys, num_folds: int | None, fold: int | None, *, needed: bool = True) -> Folds | None:
    """The fold that two keys choose; None where there is none.

    Args:
        keys: their names.
        num_folds: 2 or more, or None.
        fold: 0 or more and below `num_folds`, or None.
        needed: whether a number of folds alone is refused.

    Raises:
        ConfigError: for a number out of its range, or one key without the other.
    """
    if num_folds is None:
        _check_no_fold(keys, fold)
        return None
    if num_folds < 2:
        do = "5 and 10 are common; null deals no folds."
        raise ConfigError(keys.num_folds, expected="2 or more, or null", got=str(num_folds), do=do)
    if fold is None and not needed:
        return None
    if fold is None or not 0 <= fold < num_folds:
        raise ConfigError(
            keys.fold,
            expected=f"a whole number from 0 to {num_folds - 1} with {keys.num_folds}={num_folds}",
            got="null" if fold is None else str(fold),
            do=f"Add {keys.fold}=K for one fold, or {keys.every_fold.format(num_folds)} for all of them.",
        )
    return Folds(keys.num_folds, num_folds, fold)


def _check_no_fold(keys: Keys, fold: int | None) -> None:
    if fold is not None:
        do = f"Add {keys.num_folds}, or leave {keys.fold} out."
        raise ConfigError(keys.fold, expected=f"null without {keys.num_folds}", got=str(fold), do=do)
