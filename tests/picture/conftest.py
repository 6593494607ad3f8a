"""Figures as they were laid out, not only the text that became of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from matplotlib.figure import Figure


@contextmanager
def drawn_by() -> Iterator[list[Figure]]:
    """The figures that are turned into text meanwhile, laid out."""
    figures: list[Figure] = []
    save = Figure.savefig

    def spy(self: Figure, *args: Any, **keywords: Any) -> None:
        save(self, *args, **keywords)
        self.canvas.draw_idle()
        figures.append(self)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Figure, "savefig", spy)
        yield figures


@pytest.fixture
def drawn() -> Iterator[list[Figure]]:
    """The figures that the test has turned into text."""
    with drawn_by() as figures:
        yield figures
