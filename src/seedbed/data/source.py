"""Source: everything read from files, before any cut that a seed decides."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import NamedTuple

import torch

from seedbed.data.rows import Rows
from seedbed.errors import DataError
from seedbed.shapes import Indices, Labels


class Part(NamedTuple):
    """A split: some examples of a source file.

    Several parts may share one file; `indices` are places in it.
    """

    rows: Rows
    labels: Labels
    indices: Indices

    def class_counts(self, num_classes: int) -> tuple[int, ...]:
        """Examples of each class in this split."""
        return tuple(torch.bincount(self.labels[self.indices], minlength=num_classes).tolist())


class Source(NamedTuple):
    """Decoded files: the examples open to training, those kept for the test, and what they mean."""

    train: Part
    test: Part | None
    class_names: tuple[str, ...]
    full_scale: float
    column_names: tuple[str, ...] = ()


# Sources this process has decoded, latest last, so that the next job of a multirun finds them. A
# source is never written to, so a job cannot see what another did.
_remembered: OrderedDict[Hashable, Source] = OrderedDict()
MOST_REMEMBERED = 4


def remembered(key: Hashable, read: Callable[[], Source]) -> Source:
    """The source of this key: from memory if this process has read it, else read and checked.

    Args:
        key: differs whenever class, arguments or files differ.
        read: reads the files.

    Raises:
        DataError: if a label has no class or there are fewer than two classes to tell apart.
    """
    source = _remembered.pop(key, None)
    if source is None:
        source = read()
        check(source)
    _remembered[key] = source
    while len(_remembered) > MOST_REMEMBERED:
        _remembered.popitem(last=False)
    return source


def forget() -> None:
    """Drops every source this process holds."""
    _remembered.clear()


def whole(rows: Rows, labels: Labels) -> Part:
    """A split that is all of its file."""
    return Part(rows, labels, torch.arange(len(rows)))


def check(source: Source) -> None:
    """Refuses labels that no classifier can learn.

    Raises:
        DataError: naming the split and the example.
    """
    num_classes = len(source.class_names)
    for split, part in (("train", source.train), ("test", source.test)):
        if part is None:
            continue
        if len(part.rows) != len(part.labels):
            raise DataError(
                f"{split} split",
                expected="one label an example",
                got=f"{len(part.labels)} labels for {len(part.rows)} examples",
                do="Fetch the files again; one of them belongs to other data.",
            )
        _check_range(split, part.labels, num_classes)
    if (torch.tensor(source.train.class_counts(num_classes)) > 0).sum() < 2:
        raise DataError(
            "train split",
            expected="examples of at least two classes",
            got="only class " + source.class_names[int(source.train.labels[source.train.indices[0]])],
            do="Add examples of another class: there is nothing to tell apart.",
        )


def _check_range(split: str, labels: Labels, num_classes: int) -> None:
    wrong = ((labels < 0) | (labels >= num_classes)).nonzero()
    if len(wrong):
        place = int(wrong[0])
        raise DataError(
            f"{split} split, example {place}",
            expected=f"a label from 0 to {num_classes - 1}",
            got=str(int(labels[place])),
            do="Correct the label or fetch the files again.",
        )
