"""The public formats of click logs: which columns there are, and what each becomes."""

import math
from typing import NamedTuple

from seedbed.data.codes import code_of

# Numbers up to this stand for themselves, larger ones for floor(log(v)^2).
LARGEST_OWN = 2
# Large enough for every integer of 18 digits: log(10^18)^2 is 1717.7.
NUM_BUCKETS = 1718


class Column(NamedTuple):
    """A column of the file that becomes a field.

    Args:
        place: of the column in a line, from 0.
        field: name of the field.
        kind: `category`, `integer` or `hour` (the last two digits of YYMMDDHH).
    """

    place: int
    field: str
    kind: str


class Format(NamedTuple):
    """A format of lines.

    Args:
        name: for people.
        separator: of the columns of a line, one byte.
        header: the first line; empty: there is none.
        num_columns: of a line.
        label: place of the column that is 0 or 1.
        columns: those that become fields.
        time: place of a column that must not fall from line to line; None: the publisher vouches for it.
        hint: what may be wrong with a line of another number of columns.
    """

    name: str
    separator: bytes
    header: bytes
    num_columns: int
    label: int
    columns: tuple[Column, ...]
    time: int | None
    hint: str

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the fields, in order."""
        return tuple(column.field for column in self.columns)


NUM_INTEGERS, NUM_CATEGORIES = 13, 26

# Source: Criteo Labs (2014), "Display advertising challenge", Kaggle: rows in the order of time.
CRITEO = Format(
    name="Criteo",
    separator=b"\t",
    header=b"",
    num_columns=1 + NUM_INTEGERS + NUM_CATEGORIES,
    label=0,
    columns=(
        *(Column(place, f"I{place}", "integer") for place in range(1, NUM_INTEGERS + 1)),
        *(Column(NUM_INTEGERS + place, f"C{place}", "category") for place in range(1, NUM_CATEGORIES + 1)),
    ),
    time=None,
    hint="A line is label, 13 integers, 26 categories, with a tab between two; the publisher's test.txt "
    "has no labels and cannot be learnt from.",
)

AVAZU_HEADER = (
    b"id,click,hour,C1,banner_pos,site_id,site_domain,site_category,app_id,app_domain,app_category,device_id,"
    b"device_ip,device_model,device_type,device_conn_type,C14,C15,C16,C17,C18,C19,C20,C21"
)
AVAZU_NAMES = AVAZU_HEADER.decode().split(",")

# Source: Avazu (2014), "Click-through rate prediction", Kaggle. The hour's date never comes again, so
# that only the hour of the day is a field; the id is no field.
AVAZU = Format(
    name="Avazu",
    separator=b",",
    header=AVAZU_HEADER,
    num_columns=len(AVAZU_NAMES),
    label=1,
    columns=(
        Column(2, "hour", "hour"),
        *(Column(place, name, "category") for place, name in enumerate(AVAZU_NAMES) if place > 2),
    ),
    time=2,
    hint="A line is id, click, hour and 21 more, with a comma between two; the publisher's test file has "
    "no clicks and cannot be learnt from.",
)


def thresholds() -> list[int]:
    """The least integer of each bucket: place b - 1 has the least v with floor(log(v)^2) = b or more.

    Example:
        >>> thresholds()[:4]
        [3, 5, 6, 8]
    """
    return [_least(bucket) for bucket in range(1, NUM_BUCKETS)]


def _least(bucket: int) -> int:
    value = max(3, math.floor(math.exp(math.sqrt(bucket))) - 1)
    while math.log(value) ** 2 < bucket:
        value += 1
    return value


def integer_token(value: int) -> str:
    """What an integer is called as a category.

    Source: Y. Juan, Y. Zhuang and W.-S. Chin (2014), winners of the Criteo challenge: floor(log(v)^2)
    above 2, and `SP` with the number itself up to 2.

    Example:
        >>> [integer_token(value) for value in (-1, 2, 3, 100)]
        ['SP-1', 'SP2', '1', '21']
    """
    return f"SP{value}" if value <= LARGEST_OWN else str(math.floor(math.log(value) ** 2))


def integer_code(field: str, value: int) -> int:
    """The code of an integer that is there; a missing one has the code of an empty category."""
    return code_of(field, integer_token(value))
