"""A tensor in a few words, and in the cells of a table."""

from collections.abc import Sequence

from torch import Tensor

# Up to so many numbers are written out, in a box and in a table.
MAX_TOLD, MAX_LISTED = 3, 16
COLUMNS = ("values", "mean", "least", "largest")


def told(values: Tensor) -> str:
    """Its numbers where they are few, else their mean and range.

    Example:
        >>> from torch import tensor
        >>> told(tensor([0.5, -2.0])), told(tensor([0.0, 1.0, 2.0, 5.0]))
        ('0.5, −2', '2 in [0, 5]')
    """
    numbers = values.detach().double()
    if numbers.numel() <= MAX_TOLD:
        return ", ".join(map(_short, numbers.flatten().tolist()))
    mean, least, largest = (_short(float(number)) for number in _summary(numbers))
    return f"{mean} in [{least}, {largest}]"


def cells(values: Tensor | None) -> list[str | float | None]:
    """Its numbers where they are few, then mean, least and largest; nothing of none."""
    if values is None or not values.numel():
        return [None] * len(COLUMNS)
    numbers = values.detach().double()
    listed = " ".join(map(repr, numbers.flatten().tolist())) if numbers.numel() <= MAX_LISTED else None
    return [listed, *map(float, _summary(numbers))]


def shape_of(sizes: Sequence[int]) -> str:
    """Sizes of the axes; of a scalar nothing.

    Example:
        >>> shape_of((33, 1))
        '33 × 1'
    """
    return " × ".join(map(str, sizes))


def _summary(numbers: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    return numbers.mean(), numbers.min(), numbers.max()


def _short(number: float) -> str:
    return f"{number:.3g}".replace("-", "−")
