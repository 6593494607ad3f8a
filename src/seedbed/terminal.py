"""The terminal that live lines share: one console, so that a run's line and its study's stack."""

import sys
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress


@cache
def console() -> "Console":
    """Where live lines go: standard error, so that results can be piped."""
    from rich.console import Console

    return Console(stderr=True)


def said(line: str) -> None:
    """Prints a line there, above whatever lives."""
    console().print(line, highlight=False, markup=False, soft_wrap=True)


def live(*columns: Any) -> "Progress":
    """A live line that leaves nothing behind, and is silent where there is no terminal."""
    from rich.progress import Progress

    # Taken over, standard output would be shown on the terminal even where it goes to a file.
    takes_over = sys.stdout.isatty()
    terminal = console()
    return Progress(
        *columns,
        console=terminal,
        transient=True,
        disable=not terminal.is_terminal,
        redirect_stdout=takes_over,
    )


def duration(seconds: float) -> str:
    """A time as people say it.

    Example:
        >>> [duration(seconds) for seconds in (7.4, 100.0, 4000.0)]
        ['7 s', '2 min', '1.1 h']
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 3600 else f"{seconds / 3600:.1f} h"


def counted(number: int, thing: str) -> str:
    """A number of things.

    Example:
        >>> counted(1, "seed"), counted(3, "seed")
        ('1 seed', '3 seeds')
    """
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
