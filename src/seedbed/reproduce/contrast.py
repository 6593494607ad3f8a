"""What `seedbed diff` prints: what two runs started from, and then what they gave, where it differs."""

from collections.abc import Sequence

from seedbed.reproduce.difference import Difference, differences
from seedbed.reproduce.parting import parting
from seedbed.reproduce.recorded import Recorded
from seedbed.terminal import counted
from seedbed.verdict.terminal import Page

# What somebody changes on purpose first.
ORDER = ("config", "code", "packages", "data", "device", "processes", "threads", "flags", "circumstance")
NOTHING = "No difference in config, code, packages, data, device, processes, threads and flags."


def contrast(first: Recorded, second: Recorded, width: int = 100) -> str:
    """All that differs between two runs, for a terminal of this many columns."""
    page, found, unequal = Page(width), differences(first, second), _metrics(first, second)
    names = [f"{run.name} ({run.run_id[:8]})" for run in (first, second)]
    page.out.print(f"First: {names[0]}, {first.status}. Second: {names[1]}, {second.status}.\n")
    if found:
        page.table(["", "what differs", "first", "second"], _causes(found))
    else:
        page.out.print(NOTHING)
    if unequal:
        page.table(["metric, in the end", "first", "second", "difference"], unequal)
    page.out.print(_results(first, second))
    return page.text()


def _causes(found: Sequence[Difference]) -> list[list[str]]:
    """Each kind is named once, in its first line."""
    ordered = sorted(found, key=lambda one: ORDER.index(one.kind))
    kinds = ["", *(one.kind for one in ordered)]
    return [
        ["" if one.kind == kind else one.kind, one.what, one.first, one.second]
        for one, kind in zip(ordered, kinds, strict=False)
    ]


def _metrics(first: Recorded, second: Recorded) -> list[list[str]]:
    """Last values that are not the same; of an epoch that is last and best, once."""
    values, others = first.final, second.final
    rows = []
    for name in sorted(values | others):
        both = value, other = values.get(name), others.get(name)
        best = f"best_{name}"
        if both == (values.get(best), others.get(best)):
            continue
        if value is None or other is None:
            rows.append([name, *("none" if one is None else f"{one:.6g}" for one in both), ""])
        elif value.hex() != other.hex():
            rows.append([name, f"{value:.6g}", f"{other:.6g}", f"{other - value:+.2g}"])
    return rows


def _results(first: Recorded, second: Recorded) -> str:
    """Where the results part, or that they do not."""
    parted, number = parting(first, second), counted(len(first.history), "metric")
    traced = bool(first.trace and second.trace)
    unknown = "" if traced else " The weights are not on record of both."
    if parted:
        return f"First to differ: {parted.told()}.{unknown}"
    same = f"all weights and {number} are equal bit for bit" if traced else f"{number} are equal bit for bit"
    return f"No difference in results: {same}.{unknown}"
