"""The reproducibility checklist of a study, after Pineau et al. 2021, its questions shortened.

A box is ticked where the record itself is the answer, and the answer stands beside it. The others are
left open: whether a proof is complete, no record knows.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from seedbed.metric.glossary import GLOSSARY
from seedbed.report import chapters, closing
from seedbed.report.drawing import CPU_SECONDS
from seedbed.report.evidence import Evidence
from seedbed.report.page import Block, Code, Section, Table, Text
from seedbed.report.particulars import CHECKPOINT, CONFIG, PACKAGES, Particulars, Rerun, compared
from seedbed.report.statements import OPEN, Point, boxes, chosen, code, data, is_code_known, listed
from seedbed.verdict import tables
from seedbed.verdict.grouping import is_repetition
from seedbed.verdict.setting import Setting
from seedbed.verdict.statistics import describe

WALL_SECONDS = "fit/wall_seconds"
SWITCHES = ("num_threads", "deterministic_algorithms", "matmul_tf32", "cudnn_tf32")


def checklist(evidence: Evidence, found: Particulars, root: str = "mlruns") -> list[Section]:
    """All sections.

    Args:
        evidence: what the page is made from.
        found: what is told of single runs.
        root: folder of the record, for the commands.
    """
    return [
        _models(found),
        Section(
            "Theoretical claims", [boxes([Point("Statement of each claim"), Point("Proof of each claim")])]
        ),
        _data(evidence, found),
        _code(evidence, found),
        _results(evidence, found),
        _again(evidence, found, root),
    ]


def _models(found: Particulars) -> Section:
    target = found.config.get("model", {}).get("_target_", "")
    points = [
        Point("Mathematical setting, algorithm, model", f"Class `{target}`." if target else "", partly=True),
        Point("Assumptions"),
        Point("Complexity (time, space, sample size)"),
    ]
    intro = (
        "After Pineau et al. 2021. Ticked is what the record answers, with the evidence; the rest is open:"
        f" {OPEN}"
    )
    return Section("Models and algorithms", [Text(intro), boxes(points)])


def _data(evidence: Evidence, found: Particulars) -> Section:
    uses = found.uses(compared(evidence))
    names = ", ".join(dict.fromkeys(use.name for use in uses))
    partly = not all(found.inputs.get(run.run_id) for run in compared(evidence))
    steps = "Preprocessing: the keys of `data` in a run's `config.yaml`." if found.config else ""
    points = [
        Point("Number of examples and other statistics", "Below." if uses else "", partly),
        Point("Details of the splits", "Below." if uses else "", partly),
        Point("Data left out, and preprocessing", steps, partly=True),
        Point("Where the data can be had", f"Data: {names}." if names else "", partly=True),
        Point("How new data were collected"),
    ]
    return Section("Data", [boxes(points), *data(uses)])


def _code(evidence: Evidence, found: Particulars) -> Section:
    told, partly = code(evidence), not is_code_known(evidence)
    itself = f"{told} Each run evaluates itself." if told and found.config else ""
    points = [
        _kept("Dependencies", PACKAGES, evidence, found),
        Point("Training code", told, partly),
        Point("Evaluation code", itself, partly),
        _kept("Trained models", CHECKPOINT, evidence, found),
        Point("Table of results with the command that makes them", _command(evidence)),
        Point("Where the code can be had"),
    ]
    return Section("Code", [boxes(points), closing.origin_table(evidence)])


def _kept(asked: str, path: str, evidence: Evidence, found: Particulars) -> Point:
    """A point that an artifact answers, for the runs that have it."""
    number, total = found.kept[path], len(compared(evidence))
    return Point(asked, f"{number} of {total} compared runs keep `{path}`." if number else "", number < total)


def _command(evidence: Evidence) -> str:
    return "Below, under results and re-running." if "seedbed.command" in evidence.study.tags else ""


def _results(evidence: Evidence, found: Particulars) -> Section:
    comparison, varied = evidence.comparison, evidence.study.params
    ranges = ", ".join(f"`{key}`: `{value}`" for key, value in varied.items())
    times = _times(comparison.rows)
    points = [
        Point("Hyper-parameters considered", f"{ranges}." if ranges else ""),
        Point("How the best were chosen", chosen(evidence)),
        _kept("All hyper-parameters of the results", CONFIG, evidence, found),
        Point("Number of training and evaluation runs", _counts(evidence)),
        Point("Definition of the measure", _definition(comparison.metric)),
        Point("Central tendency and variation", _error_bars(comparison.rows)),
        Point("Average runtime", "Below." if times else ""),
        Point("Computing infrastructure", _machine(evidence, found)),
    ]
    return Section("Experimental results", [boxes(points), chapters.setting_table(comparison), *times])


def _counts(evidence: Evidence) -> str:
    """Runs and how they ended, reads of the test split, seeds."""
    told = [f"{chapters.counted(evidence.members)}.", *closing.counted_reads(evidence), *_seeds(evidence)]
    return " ".join(told if evidence.reads else [told[0], closing.NO_READS, *told[1:]])


def _seeds(evidence: Evidence) -> list[str]:
    """What told the compared repetitions apart."""
    runs = compared(evidence)
    names = [key for key in dict.fromkeys(key for run in runs for key in run.params) if is_repetition(key)]
    return [
        f"`{name}`: {listed(list(dict.fromkeys(run.params.get(name, 'null') for run in runs)))}."
        for name in names
    ]


def _definition(metric: str) -> str:
    entry = GLOSSARY.get(metric.rpartition("/")[2])
    return f"`{metric}`, {entry.unit}, {entry.range}: {entry.meaning} ({entry.source})." if entry else ""


def _error_bars(rows: Sequence[Setting]) -> str:
    """How the table's intervals were computed; empty where a setting has none."""
    if any(row.description.n < 2 for row in rows):
        return ""
    kind = ", corrected for folds that share examples (Nadeau and Bengio 2003)" if rows[0].ratio else ""
    return f"Below: mean, sd (n - 1), and Student's 95 % t interval of the mean over n runs{kind}."


def _times(rows: Iterable[Setting]) -> list[Block]:
    """CPU and wall seconds of a run of each setting; nothing where none has recorded any."""
    names = [CPU_SECONDS, WALL_SECONDS]
    told = [[row.name, *(_seconds(row, name) for name in names)] for row in rows]
    head = ["setting", *(f"{name} a run, mean and sd" for name in names)]
    return [Table(head, told)] if any(any(cells) for _, *cells in told) else []


def _seconds(row: Setting, name: str) -> str:
    known = [run.metrics[name] for run in row.runs if name in run.metrics]
    if not known:
        return ""
    found = describe(np.array(known))
    return f"{tables.number(found.mean)} ({tables.number(found.deviation)})".removesuffix(" ()")


def _machine(evidence: Evidence, found: Particulars) -> str:
    """Processor, threads and switches, as far as they are on record."""
    where = [closing.values(compared(evidence), tag) for tag in ("seedbed.cpu", "seedbed.gpu")]
    told = [f"{name}: {value}" for name, value in zip(("CPU", "GPU"), where, strict=True) if value]
    switches = ", ".join(f"{key} {found.in_force[key]}" for key in SWITCHES if key in found.in_force)
    first = evidence.comparison.rows[0].runs[0]
    told += [f"in force in the run {first.name}: {switches}"] if switches else []
    return f"{'; '.join(told)}. {closing.spent(evidence.members)}" if told else ""


def _again(evidence: Evidence, found: Particulars, root: str) -> Section:
    """The commands, and what came of those who have typed them."""
    study, where = evidence.study, "" if root == "mlruns" else f" --root {root}"
    known = study.tags.get("seedbed.command")
    commands = [*([known] if known else []), f"seedbed reproduce {study.run_id}{where}"]
    told: list[Block] = [Code("\n".join(commands))]
    if not found.reruns:
        return Section("Re-running", [*told, Text("No re-run of a run of this study is on this record.")])
    originals = {one.original.run_id for one in found.reruns}
    summary = f"Re-runs of {len(originals)} of {len(evidence.members)} runs are on this record:"
    rows = [_verdict(one) for one in found.reruns]
    return Section(
        "Re-running", [*told, Text(summary), Table(["run", "re-run as", "verdict", "command"], rows)]
    )


def _verdict(one: Rerun) -> list[str]:
    verdict, command = one.verdict or f"none: the re-run is {one.status}", f"`{one.command}`"
    return [one.original.name, f"`{one.run_id}`", verdict, command if one.command else ""]
