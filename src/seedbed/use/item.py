"""What is predicted for: an input, or the reason why there is none."""

from typing import NamedTuple

from torch import Tensor

from seedbed.errors import DataError


class Input(NamedTuple):
    """One raw input, and the file (of a table, also the line) that it came from."""

    name: str
    raw: Tensor


Item = Input | DataError
