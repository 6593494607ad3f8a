"""Whether a record is whole and says one thing: checked against itself, without training anything.

Nothing is written: a record that is looked at stays what it was.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from seedbed.checkpoint import UNREADABLE
from seedbed.errors import SeedbedError
from seedbed.reproduce import checks, fitted
from seedbed.reproduce.check import Check, Subject, judged
from seedbed.reproduce.evaluation import evaluation
from seedbed.track.kept import kept
from seedbed.track.store import Store
from seedbed.verdict.compare import compare
from seedbed.verdict.find import is_study
from seedbed.verdict.members import Member, is_test, members

Look = Callable[[Subject], Check]
LOOKS: dict[str, Look] = {
    "artifacts": checks.artifacts,
    "configuration": checks.signature,
    "metrics": checks.metrics,
    "final metrics": checks.final_metrics,
    "journal": checks.journal,
    "checkpoints": fitted.checkpoints,
    "predictions": fitted.predictions,
    "evaluation": evaluation,
}
# What a damaged file makes its readers raise.
BROKEN = (*UNREADABLE, SeedbedError, AttributeError, IndexError)
# A study's tables, and the stage of the runs that each is of; a study without stages has one table.
TABLES = {"summary.csv": "refit", "finalists.csv": "finalists", "search/settings.csv": "search"}


class Looked(NamedTuple):
    """What was found in one run, or in the study itself."""

    name: str
    run_id: str
    checks: list[Check]


def verify(store: Store, found: Member) -> Iterator[Looked]:
    """Looks at a run, or at a study and each of its runs.

    Args:
        store: where it is.
        found: the run or the study.
    """
    if is_test(found):
        yield Looked(found.name, found.run_id, _test(store, found))
        return
    if not is_study(found):
        yield Looked(found.name, found.run_id, _run(store, found))
        return
    children = members(store, found.run_id)
    for child in children:
        yield Looked(child.name, child.run_id, _child(store, child))
    yield Looked(found.name, found.run_id, _study(store, found, children))


def _run(store: Store, found: Member) -> list[Check]:
    if found.status not in ("FINISHED", "PRUNED"):
        return [Check("status", "wrong", f"expected FINISHED, got {found.status}")]
    status = Check("status", "ok", found.status)
    with kept(store, found.run_id) as files:
        subject = Subject(store, found, store.client.get_run(found.run_id), files)
        return [status, *(_guarded(what, look, subject) for what, look in LOOKS.items())]


def _test(store: Store, found: Member) -> list[Check]:
    """Of a test of another run's model: its files and points, which are all there is."""
    if found.status != "FINISHED":
        return [Check("status", "wrong", f"expected FINISHED, got {found.status}")]
    with kept(store, found.run_id) as files:
        subject = Subject(store, found, store.client.get_run(found.run_id), files)
        looks: dict[str, Look] = {"artifacts": checks.files, "metrics": checks.points}
        status = Check("status", "ok", "FINISHED, a test of a recorded model")
        return [status, *(_guarded(what, look, subject) for what, look in looks.items())]


def _child(store: Store, child: Member) -> list[Check]:
    """A study may have failed runs: they are in no table, and promise nothing."""
    if child.status == "FAILED":
        return [
            Check("status", "skipped", f"FAILED, {child.tags.get('seedbed.error', 'for no told reason')}")
        ]
    return _run(store, child)


def _guarded(what: str, look: Look, subject: Subject) -> Check:
    try:
        return look(subject)
    except BROKEN as error:
        words = str(error).partition("\n")[0]
        return Check(what, "wrong", f"expected a whole record, got {type(error).__name__}: {words}")


def _study(store: Store, found: Member, children: list[Member]) -> list[Check]:
    if found.status != "FINISHED":
        return [Check("status", "wrong", f"expected FINISHED, got {found.status}")]
    with kept(store, found.run_id) as files:
        subject = Subject(store, found, store.client.get_run(found.run_id), files)
        looks: dict[str, Look] = {
            "artifacts": checks.files,
            "metrics": checks.points,
            "tables": lambda subject: _tables(subject, children),
        }
        status = Check("status", "ok", f"FINISHED, {len(children)} runs")
        return [status, *(_guarded(what, look, subject) for what, look in looks.items())]


def _tables(subject: Subject, children: list[Member]) -> Check:
    """Each table of settings is the one that the runs on record give."""
    tables = [name for name in TABLES if name in subject.files]
    if not tables:
        return Check("tables", "skipped", "the study keeps no table of settings")
    wrong = [
        f"{name}: expected what the runs on record give, got another table"
        for name in tables
        if subject.files[name].read_text() != _table(children, TABLES[name])
    ]
    return judged("tables", f"{', '.join(tables)} as the {len(children)} runs give them", wrong)


def _table(children: list[Member], stage: str) -> str:
    staged = [child for child in children if child.tags.get("seedbed.stage") == stage]
    runs = staged or children
    objective = None if stage == "refit" else runs[0].tags.get("seedbed.objective")
    return compare(runs, objective).settings_csv()
