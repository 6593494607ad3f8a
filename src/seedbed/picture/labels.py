"""Names of settings in the room that a figure has for them."""

import re
from collections.abc import Sequence

MAX_LABEL = 44  # characters


def shorten(label: str, limit: int = MAX_LABEL) -> str:
    """A label of at most `limit` characters: long ones lose their middle.

    Example:
        >>> shorten("model=mlp optimizer.lr=0.1", 12)
        'model=…r=0.1'
    """
    if len(label) <= limit:
        return label
    tail = limit // 2 - 1 + limit % 2
    return f"{label[: limit - tail - 1]}…{label[-tail:]}"


def shortened(labels: Sequence[str], limit: int = MAX_LABEL) -> list[str]:
    """Labels of at most `limit` characters that are as different as they were.

    Where losing their middles would make them equal, they lose what they begin with in common instead,
    and where that is not enough they get a number.

    Example:
        >>> shortened(["optimizer.learning_rate=1", "optimizer.learning_rate=2"], 12)
        ['optimi…ate=1', 'optimi…ate=2']
        >>> shortened(["width=10 and so on", "width=20 and so on"], 12)
        ['…10 an…so on', '…20 an…so on']
    """
    cut = [shorten(label, limit) for label in labels]
    if len(set(cut)) < len(set(labels)):
        start = _in_common(labels)
        cut = [shorten(f"…{label[start:]}" if start > 1 else label, limit) for label in labels]
    if len(set(cut)) < len(set(labels)):
        numbers = {label: number for number, label in enumerate(dict.fromkeys(labels), 1)}
        cut = [f"{numbers[label]}: {shorten(label, limit - 4)}" for label in labels]
    return cut


def unit_of(label: str) -> str:
    """The unit at the end of an axis label, in its brackets; nothing where there is none.

    Example:
        >>> unit_of("test/accuracy (share)"), unit_of("mine")
        ('(share)', '')
    """
    found = re.search(r"\([^()]+\)$", label)
    return found[0] if found else ""


def _in_common(labels: Sequence[str]) -> int:
    """How many characters all labels begin with."""
    differing = (place for place, letters in enumerate(zip(*labels, strict=False)) if len(set(letters)) > 1)
    return next(differing, min(map(len, labels)))
