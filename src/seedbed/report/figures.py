"""The figures of a study, none of which may end its report."""

from collections.abc import Callable, Mapping

from seedbed.picture.picture import Picture
from seedbed.report.page import Block, Figure, Text


class Figures:
    """Draws the figures of a study; one that fails is left out and named, the rest goes on.

    Args:
        makers: name to what draws it, or finds that there is nothing to draw.
    """

    def __init__(self, makers: Mapping[str, Callable[[], Picture | None]]) -> None:
        self._makers = makers
        self.drawn: list[Picture] = []
        self.failed: list[str] = []

    @property
    def names(self) -> list[str]:
        """Of all figures that can be drawn."""
        return list(self._makers)

    def draw(self, name: str) -> list[Block]:
        """The figure as a block, or the sentence that says why it is missing; nothing where no data is."""
        if name not in self._makers:
            return []
        try:
            picture = self._makers[name]()
        except Exception as error:  # noqa: BLE001 - whatever a figure fails of is told; the numbers stand without it
            self.failed.append(f"The figure {name} is left out: {type(error).__name__}: {error}".rstrip())
            return [Text(self.failed[-1])]
        if picture is None:
            return []
        self.drawn.append(picture)
        return [Figure(picture)]
