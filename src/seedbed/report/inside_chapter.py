"""What a report shows of the best setting's first run: what it gets wrong, and how sure it is."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from seedbed.album.album import Drawn, drawn
from seedbed.picture.picture import Picture
from seedbed.report.figures import Figures
from seedbed.report.page import Block, Section, Text
from seedbed.track.store import Store
from seedbed.verdict.compare import Comparison

NAMES = ("confusion", "reliability", "per_class", "gallery", "templates")


class Inside(NamedTuple):
    """One run and what became of its pictures.

    Args:
        setting: the best one.
        run: name of its first run.
        num_runs: of the setting.
        drawn: of `NAMES`.
    """

    setting: str
    run: str
    num_runs: int
    drawn: Drawn


def look_inside(store: Store, comparison: Comparison) -> Inside:
    """Makes the pictures of the best setting's first run."""
    best = comparison.rows[0]
    return Inside(best.name, best.runs[0].name, len(best.runs), drawn(store, best.runs[0], NAMES))


def made_inside(found: Inside) -> dict[str, Callable[[], Picture]]:
    """What hands each picture out that there is, and raises what one has failed of."""
    return {name: partial(_made, made) for name, made in found.drawn.items() if made is not None}


def inside(found: Inside, figures: Figures) -> list[Section]:
    """One section; none where the run has kept nothing to draw."""
    shown = made_inside(found)
    if not shown:
        return []
    told = (
        f"Of the best setting, `{found.setting}`, the first of its {found.num_runs} runs, `{found.run}`:"
        " one run, to look at, not to compare."
    )
    blocks: list[Block] = [Text(told)]
    for name in shown:
        blocks += figures.draw(name)
    return [Section("Inside the best setting", blocks)]


def _made(made: Picture | Exception) -> Picture:
    """The picture; what it failed of is raised here, for whoever draws the page to tell."""
    if isinstance(made, Exception):
        raise made
    return made
