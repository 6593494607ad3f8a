"""What a report says of a search: the settings it tried, what mattered, what more of them would buy."""

from collections import Counter

from seedbed.report import searched
from seedbed.report.evidence import Evidence
from seedbed.report.figures import Figures
from seedbed.report.page import Block, Section, Table, Text


def search(evidence: Evidence, figures: Figures) -> list[Section]:
    """One section; none where the study was no search."""
    if evidence.trials is None:
        return []
    found = searched.read(evidence.trials, evidence.space)
    counts = Counter(found.states)
    told = f"{counts.total()} settings tried: " + ", ".join(f"{num} {state}" for state, num in counts.items())
    blocks: list[Block] = [Text(f"{told}. Judged on `{', '.join(found.objectives)}`."), *_space(found)]
    if not found.finished:
        return [Section("Search", [*blocks, Text("No trial has finished, so there is nothing to draw.")])]
    blocks += figures.draw("parallel_coordinates")
    blocks += figures.draw("slices")
    blocks += _importances(found, figures)
    for name in ("best_so_far", "expected_best", "trade_off"):
        blocks += figures.draw(name)
    return [Section("Search", blocks)]


def _space(found: searched.Search) -> list[Block]:
    if not found.space:
        return [Text("The artifact `search/space.json` is missing: scales are guessed from what was tried.")]
    return [Table(["key", "searched"], [[f"`{key}`", f"`{words}`"] for key, words in found.space.items()])]


def _importances(found: searched.Search, figures: Figures) -> list[Block]:
    if len(found.tuned) > 1 and len(found.finished) < searched.FEWEST_FOR_IMPORTANCES:
        least = searched.FEWEST_FOR_IMPORTANCES
        told = f"Which keys mattered is not told: that takes {least} finished trials, there are"
        return [Text(f"{told} {len(found.finished)}.")]
    return figures.draw("importances")
