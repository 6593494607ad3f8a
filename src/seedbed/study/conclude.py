"""The end of a study: tables, verdicts and note, on its record and on the terminal."""

import json
import re
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from rich.console import Console

from seedbed.errors import TrainingError
from seedbed.manual import command_line, ui_command
from seedbed.study.findings import Finding, findings
from seedbed.study.outline import Outline
from seedbed.terminal import said
from seedbed.track.manifest import seal
from seedbed.track.patience import complete, when_there
from seedbed.track.record import Record
from seedbed.verdict import tables
from seedbed.verdict.compare import Comparison
from seedbed.verdict.members import Member, members

# The UI's compare page draws no more lines than one can follow.
NUM_COMPARED = 100


def conclude(
    record: Record,
    outline: Outline,
    failed: Mapping[str, Member],
    spent: TrainingError | None,
    out: Console,
) -> TrainingError | None:
    """Writes what was found to the study's record and closes it.

    Args:
        record: the study's.
        outline: what was asked for.
        failed: runs that failed this time, by name.
        spent: set where the failure budget was spent.
        out: where the tables are printed.

    Returns:
        What is wrong with the study; None where nothing is.
    """
    children, found = when_there(record.store, lambda: _found(record, outline), said)
    finished = sum(child.status == "FINISHED" for child in children)
    for finding in found:
        for path, text in finding.files.items():
            record.log_text(text, path)
        if finding.comparison is not None:
            # A study that goes on later has more finished runs, and so a later step.
            record.log_metrics(_aggregate(finding.comparison), step=finished)
        out.print(f"\n{finding.title}", highlight=False, markup=False, style="bold")
        out.print(finding.text(out.width), highlight=False, markup=False)
    record.set_note(_note(found, children, failed, spent))
    wrong = spent or _wrong(failed, len(children), tolerant=outline.searches and finished > 0)
    seal(record)
    record.finish("FAILED" if wrong else "FINISHED")
    _next(record, outline, failed, out)
    return wrong


def _found(record: Record, outline: Outline) -> tuple[list[Member], list[Finding]]:
    complete(record.store)  # a run of an earlier command may have waited until now
    children = members(record.store, record.run_id)
    return children, findings(outline, children, record.folder, record.run_id)


def _aggregate(comparison: Comparison) -> dict[str, float]:
    """Mean, spread and interval of each setting, under names that MLflow takes."""
    told: dict[str, float] = {}
    for row in comparison.rows:
        label = re.sub(r"[^\w.:-]+", "_", row.name).strip("_.")
        name, found = f"{label}/{comparison.metric}", row.description
        told[name] = found.mean
        ends = {"n": float(found.n), "sd": found.deviation, "low": found.low, "high": found.high}
        told |= {f"{name}.{end}": value for end, value in ends.items() if value is not None}
    return told


def _note(
    found: Sequence[Finding],
    children: Sequence[Member],
    failed: Mapping[str, Member],
    spent: TrainingError | None,
) -> str:
    """The study's description in the UI."""
    parts = [f"## {finding.title}\n\n{finding.markdown()}" for finding in found]
    if failed:
        parts.append("**Failed, and in no mean:**\n\n" + tables.listed(_why(failed)))
    if spent:
        parts.append(f"**Stopped early:** {spent}")
    compared = children[:NUM_COMPARED]
    if compared:
        ids, experiment = json.dumps([run.run_id for run in compared]), compared[0].experiment_id
        address = f"#/compare-runs?runs={quote(ids)}&experiments={quote(json.dumps([experiment]))}"
        parts.append(
            f"[Compare {len(compared)} of {len(children)} runs]({address}&workflowType=machine_learning)"
        )
    return "\n\n".join(parts)


def _why(failed: Mapping[str, Member]) -> list[str]:
    return [f"{name}: {member.tags.get('seedbed.error', member.status)}" for name, member in failed.items()]


def _wrong(failed: Mapping[str, Member], num_runs: int, *, tolerant: bool) -> TrainingError | None:
    """Failed runs are a fault of a study, but a finding of a search: some settings cannot work."""
    counted = {
        name: member
        for name, member in failed.items()
        if not (tolerant and member.tags.get("seedbed.stage") == "search")
    }
    if not counted:
        return None
    return TrainingError(
        "study",
        expected=f"{num_runs} finished runs",
        got=f"{len(counted)} failed ({'; '.join(_why(counted))})",
        do="Each failed run holds its trace as the artifact error.txt; the same command tries them again.",
    )


def _next(record: Record, outline: Outline, failed: Mapping[str, Member], out: Console) -> None:
    """Which study it was, what failed in it, what to type next."""
    root, study = outline.track_root, record.run_id[:8]
    lines = [f"Failed: {told}" for told in _why(failed)]
    lines += [
        f"Study {record.run_id} in {record.store.uri}",
        f"Verdicts again, or by another metric: {command_line('compare', study, root)}",
        f"A page to hand on: {command_line('report', study, root)} --out report",
        f"Look at it: {ui_command(root)}",
    ]
    for line in lines:
        out.print(line, highlight=False, markup=False, soft_wrap=True)
