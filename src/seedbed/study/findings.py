"""What a study found, stage by stage, read back from the record."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from seedbed.errors import StoreError
from seedbed.study.outline import Outline
from seedbed.verdict import tables
from seedbed.verdict.compare import Comparison, compare
from seedbed.verdict.members import Member
from seedbed.verdict.terminal import Page

NUM_TRIALS_SHOWN = 10


class Finding(NamedTuple):
    """One part of a study's result.

    Args:
        title: what it answers.
        text: for a terminal of this many columns.
        markdown: the same for the UI.
        files: artifact path to text.
        comparison: where settings were compared.
    """

    title: str
    text: Callable[[int], str]
    markdown: Callable[[], str]
    files: Mapping[str, str]
    comparison: Comparison | None = None


def findings(outline: Outline, children: Sequence[Member], folder: Path, name: str) -> list[Finding]:
    """Every part of the result that there is.

    Args:
        outline: what was asked for.
        children: the study's runs, in any state.
        folder: the study's own, with the search's journal.
        name: the study's run id.
    """
    if outline.kind == "variance":
        from seedbed.study.attribution import attribution

        return attribution(children)
    objective = outline.study["objectives"][0]
    found = [_trials(outline, folder, name)] if outline.searches else []
    if outline.study.get("num_finalists") is None:
        return [*found, _compared("Settings", children, None, "summary")]
    if not outline.searches:
        found.append(
            _compared("Search, on validation", _stage(children, "search"), objective, "search/settings")
        )
    finalists = _stage(children, "finalists")
    if finalists:
        found.append(
            _compared("Finalists with fresh seeds, on validation", finalists, objective, "finalists")
        )
    refit = _stage(children, "refit")
    if refit:
        found.append(_compared("Refit with new seeds", refit, None, "summary"))
    return found


def _stage(children: Sequence[Member], stage: str) -> list[Member]:
    return [member for member in children if member.tags.get("seedbed.stage") == stage]


def _compared(title: str, runs: Sequence[Member], metric: str | None, name: str) -> Finding:
    try:
        found = compare(runs, metric)
    except StoreError as error:  # no run finished: the failures are told by name
        told = str(error)
        return Finding(title, lambda _: told, lambda: told, {})
    files = {f"{name}.csv": found.settings_csv()}
    if found.pairs:
        files[f"{name}_pairs.csv"] = found.csv()
    return Finding(f"{title}: {found.metric}", found.text, found.markdown, files, found)


def _trials(outline: Outline, folder: Path, name: str) -> Finding:
    """The settings that a search tried."""
    from seedbed.study.search import as_json

    search = outline.search(folder, name)
    best = search.best()
    states = [trial.state.name for trial in search.trials]
    counts = ", ".join(f"{states.count(state)} {state.lower()}" for state in dict.fromkeys(states))
    head = ["trial", *search.objectives, *search.distributions]
    values = {trial.number: trial.values for trial in search.trials}
    rows = [
        [
            str(trial.number),
            *(tables.number(value) for value in values[trial.number] or ()),
            *trial.overrides.values(),
        ]
        for trial in best[:NUM_TRIALS_SHOWN]
    ]
    shown = f"{counts}; the best {len(rows)}:"
    files = {"search/trials.csv": search.as_csv(), "search/space.json": as_json(outline.space.swept)}
    return Finding(
        f"Search over {len(states)} settings",
        lambda width: set_table(shown, head, rows, width),
        lambda: f"{shown}\n\n{tables.markdown(head, rows)}",
        files,
    )


def set_table(sentence: str, head: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> str:
    """A sentence and a table for a terminal of this many columns."""
    page = Page(width)
    page.table(head, rows)
    return f"{sentence}\n{page.text()}"
