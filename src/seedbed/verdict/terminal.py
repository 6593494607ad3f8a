"""A comparison on the terminal: table of settings, verdicts, table of pairs, what to mind."""

import io
from collections.abc import Sequence

from rich.console import Console
from rich.padding import Padding
from rich.table import Table

from seedbed.verdict import tables
from seedbed.verdict.setting import Pair, Setting
from seedbed.verdict.unit import Unit

# More verdicts are a table to search, not a text to read.
NUM_PAIRS_TOLD = 15
# More columns of labels would squeeze the numbers.
NUM_LABELS = 3
NUM_PAIRS_TABLED = 50


class Page:
    """Text that is set to a number of columns.

    Args:
        width: columns.
    """

    def __init__(self, width: int) -> None:
        self.file = io.StringIO()
        self.out = Console(file=self.file, width=width, highlight=False, markup=False, emoji=False)

    def settings(self, rows: Sequence[Setting], metric: str) -> None:
        """Of many labels the name alone, which tells the settings apart; the files have all."""
        many = len(rows[0].labels) > NUM_LABELS
        labels = [[row.name] if many else list(row.labels.values()) for row in rows]
        told = [tables.cells(label, row.description) for label, row in zip(labels, rows, strict=True)]
        self.table(tables.heads(["setting"] if many else rows[0].labels, metric), told)

    def pairs(self, rows: Sequence[Setting], pairs: Sequence[Pair], words: Sequence[str], unit: Unit) -> None:
        """All verdicts and numbers, or those of pairs with the first setting where they are many."""
        both = list(zip(pairs, words, strict=True))
        told = [(pair, word) for pair, word in both if len(pairs) <= NUM_PAIRS_TOLD or pair.a is rows[0]]
        many = f"t tests, p values after Holm over {len(pairs)} pairs, intervals of each pair alone:"
        self.section(many if len(pairs) > 1 else "t test:", [word for _, word in told])
        tabled = pairs if len(pairs) <= NUM_PAIRS_TABLED else [pair for pair, _ in told]
        if len(told) < len(pairs):
            where = "left out" if len(tabled) < len(pairs) else "in the table only"
            self.out.print(f"  {len(pairs) - len(told)} pairs of other settings are {where}.")
        self.table(*tables.pair_table(tabled, unit))

    def section(self, head: str, sentences: Sequence[str]) -> None:
        """A head with indented sentences."""
        self.out.print(f"\n{head}")
        for sentence in sentences:
            self.out.print(Padding(sentence, (0, 0, 0, 2)))

    def table(self, head: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
        """A table with a head."""
        table = Table(*head)
        for line in lines:
            table.add_row(*line)
        self.out.print(table)

    def text(self) -> str:
        return "".join(f"{line.rstrip()}\n" for line in self.file.getvalue().splitlines())
