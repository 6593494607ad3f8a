"""What a report says, section by section: from the evidence to words, tables and figures."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from seedbed.picture.picture import Picture
from seedbed.report import closing
from seedbed.report.evidence import STAGE, Evidence
from seedbed.report.figures import Figures
from seedbed.report.inside_chapter import inside, look_inside, made_inside
from seedbed.report.page import Block, Code, Folded, Items, Section, Table, Text
from seedbed.report.pictures import makers
from seedbed.report.search_chapter import search
from seedbed.report.variance_chapter import variance
from seedbed.verdict import caveats, tables
from seedbed.verdict.compare import Comparison
from seedbed.verdict.members import Member

# Verdicts that are told at once; the others unfold.
NUM_VERDICTS = 15


class Report(NamedTuple):
    """A report before it is written."""

    title: str
    sections: Sequence[Section]
    pictures: Sequence[Picture]
    failed: Sequence[str]


def compose(evidence: Evidence, root: str = "mlruns") -> Report:
    """The whole report.

    Args:
        evidence: what the record has.
        root: folder of the record, for the commands at the end.
    """
    found = look_inside(evidence.store, evidence.comparison)
    figures = Figures({**makers(evidence), **made_inside(found)})
    sections = [
        _asked(evidence),
        _settings(evidence.comparison, figures),
        *_verdicts(evidence.comparison, figures),
        *variance(evidence),
        *_finalists(evidence),
        *_curves(figures),
        *inside(found, figures),
        *search(evidence, figures),
        closing.cost(evidence, figures),
        closing.reads(evidence),
        closing.origin(evidence),
        closing.documents(),
        closing.what_next(evidence, root),
    ]
    return Report(evidence.study.name, _minded(evidence, sections, figures), figures.drawn, figures.failed)


def _asked(evidence: Evidence) -> Section:
    study = evidence.study
    varied = [[f"`{key}`", f"`{value}`"] for key, value in study.params.items()]
    told: list[Block] = [
        Text(f"Study `{study.run_id}`, started {evidence.began}: {counted(evidence.members)}."),
        *([Code(study.tags["seedbed.command"])] if "seedbed.command" in study.tags else []),
        *([Table(["varied", "values"], varied)] if varied else []),
    ]
    if study.status == "RUNNING":
        told.insert(0, Text("The study is still running: these are the numbers so far; they will change."))
    return Section("What was asked", told)


def counted(runs: Iterable[Member]) -> str:
    """How many runs there are, and how they ended."""
    counts = Counter(run.status for run in runs)
    return f"{counts.total()} runs, " + ", ".join(f"{number} {status}" for status, number in counts.items())


def _minded(evidence: Evidence, sections: list[Section], figures: Figures) -> list[Section]:
    """The sections with everything to mind after the first: it must not be read last."""
    told = [*evidence.comparison.warnings, *_elsewhere(evidence), *figures.failed]
    return [sections[0], *([Section("Mind", [Items(told, warning=True)])] if told else []), *sections[1:]]


def _elsewhere(evidence: Evidence) -> list[str]:
    """Runs of stages that are not compared, and did not finish."""
    compared = {run.tags.get(STAGE, "") for row in evidence.comparison.rows for run in row.runs}
    groups: dict[tuple[str, str], list[Member]] = {}
    for run in evidence.members:
        if run.status != "FINISHED" and run.tags.get(STAGE, "") not in compared:
            groups.setdefault((run.tags.get(STAGE, ""), run.status), []).append(run)
    totals = Counter(run.tags.get(STAGE, "") for run in evidence.members)
    return [
        f"{len(runs)} of {totals[stage]} runs of the stage {stage or 'without a name'}"
        f", {caveats.ENDED.get(status, status.lower())}: {caveats.named(runs)}."
        for (stage, status), runs in groups.items()
    ]


def _settings(comparison: Comparison, figures: Figures) -> Section:
    told = Text(
        f"`{comparison.metric}` over the n runs of each setting, best first. The interval is Student's t"
        " for the mean, 95 %; the interquartile mean leaves out the lowest and the highest quarter."
    )
    table = setting_table(comparison)
    figure = [*figures.draw("distribution"), *figures.draw("penalty_path")]
    return Section("Settings", [told, table, *figure])


def setting_table(comparison: Comparison) -> Table:
    """Every setting with its n, mean, spread and interval, best first."""
    rows = [tables.cells(row.labels.values(), row.description) for row in comparison.rows]
    return Table(tables.heads(comparison.rows[0].labels, comparison.metric), rows)


def _verdicts(comparison: Comparison, figures: Figures) -> list[Section]:
    if not comparison.pairs:
        return []
    blocks = _words(comparison)
    blocks += figures.draw("differences")
    blocks += figures.draw("paired_dots")
    shown = [tables.pair_cells(pair, comparison.unit) for pair in comparison.pairs]
    blocks.append(Folded("Every pair in numbers", Table(tables.pair_heads(comparison.unit), shown)))
    return [Section("Verdicts", blocks)]


def _words(comparison: Comparison) -> list[Block]:
    """The verdicts, the best setting against each of the others first."""
    first, rest = comparison.words[:NUM_VERDICTS], comparison.words[NUM_VERDICTS:]
    folded = [Folded(f"The other {len(rest)} pairs", Items(rest))] if rest else []
    return [Items(first), *folded]


def _finalists(evidence: Evidence) -> list[Section]:
    """Of a search whose winner was refitted: the stage that chose it."""
    found = evidence.finalists
    if found is None:
        return []
    told = Text("The best settings of the search, run again with fresh seeds; the winner was then refitted.")
    return [Section("Finalists", [told, setting_table(found), *_words(found)])]


def _curves(figures: Figures) -> list[Section]:
    blocks = figures.draw("learning_curves")
    return [Section("Learning curves", blocks)] if blocks else []
