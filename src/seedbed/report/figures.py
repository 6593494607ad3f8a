"""The figures of a report, none of which may end it."""

from collections.abc import Callable

from seedbed.picture.picture import Picture
from seedbed.report.page import Block, Figure, Text


class Figures:
    """Draws the figures of a report; one that fails is left out and named, the report goes on."""

    def __init__(self) -> None:
        self.drawn: list[Picture] = []
        self.failed: list[str] = []

    def draw(self, name: str, make: Callable[[], Picture]) -> list[Block]:
        """The figure as a block, or the sentence that says why it is missing."""
        try:
            picture = make()
        except Exception as error:  # noqa: BLE001 - whatever a figure fails of is told; the numbers stand without it
            self.failed.append(f"The figure {name} is left out: {type(error).__name__}: {error}".rstrip())
            return [Text(self.failed[-1])]
        self.drawn.append(picture)
        return [Figure(picture)]
