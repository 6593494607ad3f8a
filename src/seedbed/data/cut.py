"""Cuts: which examples of a source are held out."""

import torch

from seedbed.data.source import Part
from seedbed.errors import ConfigError, DataError
from seedbed.shapes import Labels

# The test split of a source that has none of its own is the same for every run and every seed.
TEST_CUT_SEED = 0


def check_fraction(key: str, fraction: float) -> None:
    """Refuses a share outside [0, 1).

    Raises:
        ConfigError: naming the key.
    """
    if not 0 <= fraction < 1:
        raise ConfigError(
            key,
            expected="a number from 0 to below 1",
            got=f"{fraction:g}",
            do="0 holds nothing out; 0.2 holds out a fifth.",
        )


def at_end(part: Part, fraction: float, *, key: str) -> tuple[Part, Part | None]:
    """Cuts the end off a split, in file order.

    Args:
        part: the examples to be cut.
        fraction: share that is held out, in [0, 1).
        key: configuration key of the fraction, for the message.

    Returns:
        The examples kept and those held out (None for a fraction of 0).

    Raises:
        ConfigError: if the share amounts to no example, or to all of them.
    """
    if not fraction:
        return part, None
    num_kept = len(part.indices) - round(fraction * len(part.indices))
    if not 0 < num_kept < len(part.indices):
        raise ConfigError(
            f"{key}={fraction:g}",
            expected="a share that leaves examples on both sides",
            got=f"{num_kept} of {len(part.indices)} examples kept",
            do="Set the fraction to 0, or choose one further from 0 and 1.",
        )
    kept, held_out = part.indices[:num_kept], part.indices[num_kept:]
    return part._replace(indices=kept), part._replace(indices=held_out)


def stratified(
    part: Part, fraction: float, seed: int, *, key: str, class_names: tuple[str, ...]
) -> tuple[Part, Part | None]:
    """Cuts a split in two, with the classes in the same proportions on both sides.

    Args:
        part: the examples to be cut.
        fraction: share that is held out, in [0, 1).
        seed: of the cut, 0 or more; only its lowest 32 bits count, all that scikit-learn takes.
        key: configuration key of the fraction, for the message.
        class_names: names of the classes, for the message.

    Returns:
        The examples kept and those held out (None for a fraction of 0), each in file order.

    Raises:
        DataError: if a class is too rare, or a side too small, to hold every class.
    """
    if not fraction:
        return part, None
    from sklearn.model_selection import train_test_split  # half a second that an uncut source is spared

    strata, held_out = part.labels[part.indices], round(fraction * len(part.indices))
    _check_strata(strata, held_out, f"{key}={fraction:g}", class_names)
    sides = train_test_split(
        part.indices.numpy(), test_size=held_out, stratify=strata.numpy(), random_state=seed % 2**32
    )
    kept, cut_off = (part._replace(indices=torch.from_numpy(side).sort().values) for side in sides)
    return kept, cut_off


def _check_strata(strata: Labels, held_out: int, what: str, class_names: tuple[str, ...]) -> None:
    counts = torch.bincount(strata, minlength=len(class_names)).tolist()
    rare = [name for name, count in zip(class_names, counts, strict=True) if count == 1]
    if rare:
        raise DataError(
            what,
            expected="at least 2 examples of every class, so that both sides hold one",
            got="1 of class " + ", ".join(rare),
            do="Add examples of it, remove the class, or set the fraction to 0.",
        )
    num_classes = sum(map(bool, counts))
    if min(held_out, len(strata) - held_out) < num_classes:
        raise DataError(
            what,
            expected=f"at least one example of each of the {num_classes} classes on both sides",
            got=f"{held_out} of {len(strata)} examples held out",
            do="Set the fraction to 0, or choose one that leaves enough on both sides.",
        )
