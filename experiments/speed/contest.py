"""What is compared with what: rows of contests, contests of sides, sides that are processes."""

from dataclasses import dataclass
from typing import Literal

# What a figure is of: ours over the peer's; our own seconds; memory beyond the same run on tiny data, in
# sizes of the data.
Kind = Literal["ratio", "seconds", "data sizes"]


@dataclass(frozen=True)
class Side:
    """A command, `python ARGUMENTS`.

    Args:
        name: ours, or whose it is.
        arguments: after `python`; `{scratch}` becomes a new folder, `{mnist}`, `{tiny}` and `{photographs}`
            the folders of the data.
        expected_code: how it ends.
    """

    name: str
    arguments: tuple[str, ...]
    expected_code: int = 0


@dataclass(frozen=True)
class Figure:
    """One line of the table.

    Args:
        title: what is compared.
        measure: which cost: one that both sides tell, or "process", all of it.
        goal: at most this; None: for information.
        kind: of what.
    """

    title: str
    measure: str
    goal: float | None
    kind: Kind = "ratio"


@dataclass(frozen=True)
class Contest:
    """Sides that are run in turn.

    Args:
        name: unique in its row.
        sides: ours first.
        figures: what is read off them.
        reached: figure that both sides tell, by which they are compared for being right.
        margin: largest difference in it.
        no_worse: ours may be lower by any amount, and not higher.
        needs: data without which it is skipped.
        imports: say which modules the command of ours imports.
    """

    name: str
    sides: tuple[Side, ...]
    figures: tuple[Figure, ...]
    reached: str = ""
    margin: float = 0.0
    no_worse: bool = False
    needs: tuple[str, ...] = ()
    imports: bool = False


@dataclass(frozen=True)
class Row:
    """A row of the table.

    Args:
        number: 1 to 9.
        question: what it asks.
        repetitions: of each side.
        contests: what answers it.
        unmeasured: what of the row is not there to be measured, and why.
    """

    number: int
    question: str
    repetitions: int
    contests: tuple[Contest, ...]
    unmeasured: str = ""
