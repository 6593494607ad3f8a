"""The verb `compare`: from the words of the command line to the text of its answer."""

from collections.abc import Sequence

from seedbed.errors import StoreError
from seedbed.track.store import Store
from seedbed.verdict.compare import compare
from seedbed.verdict.find import filtered, find, is_study, runs_of
from seedbed.verdict.members import Member
from seedbed.verdict.predictions import mcnemar, predictions, sentence

NOT_A_SETTING = (
    "This is a verdict on two fitted models and these examples. Whether one setting is better than the "
    "other takes several seeds of each: seedbed train -m GROUP=A,B 'seed=range(0,5)'"
)


def answer(
    store: Store,
    named: Sequence[str],
    *,
    filter_string: str | None = None,
    metric: str | None = None,
    by: str | None = None,
    margin: float | None = None,
    width: int = 100,
) -> str:
    """What `seedbed compare` prints.

    Args:
        store: an open store.
        named: studies or runs, as `find.find` takes them.
        filter_string: further runs, by an MLflow search filter; None: no further ones.
        metric: as in `compare.compare`, like `by` and `margin`.
        by: the param to compare.
        margin: largest difference that does not matter.
        width: columns of the terminal.

    Raises:
        StoreError: for names that do not say what is meant, and whatever cannot be compared.
    """
    found = [find(store, text) for text in named]
    sets = [runs_of(store, one) for one in found]
    if filter_string is None and _single(found, sets):
        return _two_models(store, found, metric, by, margin)
    runs = [run for members in sets for run in members]
    runs += filtered(store, filter_string) if filter_string is not None else []
    comparison = compare(list({run.run_id: run for run in runs}.values()), metric, by, margin)
    return comparison.text(width) + _next(found)


def _single(found: Sequence[Member], sets: Sequence[Sequence[Member]]) -> bool:
    """Whether these are at most two single runs, and no study."""
    return len(found) <= 2 and all(members == [one] for one, members in zip(found, sets, strict=True))


def _two_models(
    store: Store, runs: Sequence[Member], metric: str | None, by: str | None, margin: float | None
) -> str:
    if len(runs) < 2 or runs[0].run_id == runs[1].run_id:
        raise StoreError(
            "compare",
            expected="a study, two runs, or --runs FILTER",
            got=f"one single run, {runs[0].name}" if runs else "nothing",
            do="Name a study, or a second run. `last` is what was started last.",
        )
    unread = {"--metric": metric, "--by": by, "--margin": margin}
    given = [option for option, value in unread.items() if value is not None]
    if given:
        raise StoreError(
            given[0],
            expected="a study or several runs a setting",
            got="two single runs, which are compared by their predictions",
            do=f"Leave {given[0]} out.",
        )
    first, second = (run.name for run in runs)
    if first == second:
        first, second = (f"{run.name} ({run.run_id[:8]})" for run in runs)
    verdict = sentence(first, second, mcnemar(*(predictions(store, run) for run in runs)))
    return f"{verdict}.\n{NOT_A_SETTING}\n"


def _next(found: Sequence[Member]) -> str:
    """What to type next: the whole story of a study, and the command that gives more of it."""
    studies = [run for run in found if is_study(run)]
    if len(studies) != 1 or len(found) != 1:
        return ""
    command = studies[0].tags.get("seedbed.command", "")
    again = f"\nIt was: {command}" if command else ""
    return f"\nFigures, table and page: seedbed report {studies[0].run_id[:8]} --out FOLDER{again}\n"
