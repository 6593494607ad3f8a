"""From the measurements to the table of the README, between its two markers."""

import statistics
from collections.abc import Sequence
from pathlib import Path

from experiments.speed.contest import Contest, Figure, Row
from experiments.speed.places import MNIST_BYTES
from experiments.speed.results import Measurement

BEGIN, END = "<!-- table: written by python -m experiments.speed -->", "<!-- end of table -->"
HEAD = (
    "| # | what | ours, CPU s | peer, CPU s | ours, wall s | peer, wall s | measured | goal | n |",
    "|---|---|---|---|---|---|---|---|---|",
)


def put(readme: Path, rows: Sequence[Row], measurements: Sequence[Measurement]) -> None:
    """Replaces what stands between the markers.

    Raises:
        ValueError: where a marker is missing.
    """
    before, _, rest = readme.read_text().partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        raise ValueError(f"{readme}: expected {BEGIN} and {END}")
    text = "\n".join([*told(rows, measurements), ""])
    readme.write_text(f"{before}{BEGIN}\n{text}{END}{after}")


def told(rows: Sequence[Row], measurements: Sequence[Measurement]) -> list[str]:
    """The lines: table, what is missing, on what it was measured."""
    lines, missing = list(HEAD), []
    for row in rows:
        for contest in row.contests:
            own = [one for one in measurements if (one.row, one.contest) == (row.number, contest.name)]
            lines += [_line(row, contest, figure, own) for figure in contest.figures if own]
            missing += [] if own else [f"Row {row.number}, {contest.name}: not measured."]
        missing += [f"Row {row.number}: {row.unmeasured}."] if row.unmeasured else []
    places = dict.fromkeys((one.machine, one.versions) for one in measurements)
    dates = sorted({one.date for one in measurements})
    on = [f"{machine}; {versions}." for machine, versions in places]
    span = " to ".join(dict.fromkeys([dates[0], dates[-1]])) if dates else "never"
    return [*lines, "", *missing, "", f"Measured {span} on:", *on]


def _line(row: Row, contest: Contest, figure: Figure, own: Sequence[Measurement]) -> str:
    sides = [
        [one for one in own if one.side == side.name and one.measure == figure.measure]
        for side in contest.sides
    ]
    values = _values(figure, sides)
    cells = [str(row.number), figure.title]
    for name in ("cpu_seconds", "wall_seconds"):
        cells += [_median(sides, place, name) for place in range(2)]
    judged = "" if figure.goal is None else f"{figure.goal:g}"
    return (
        "| "
        + " | ".join([*cells, _measured(contest, figure, values, sides), judged, str(len(values))])
        + " |"
    )


def _values(figure: Figure, sides: Sequence[Sequence[Measurement]]) -> list[float]:
    if figure.kind == "seconds":
        return [one.cpu_seconds for one in sides[0]]
    pairs = list(zip(*sides, strict=False))
    if figure.kind == "ratio":
        return [ours.cpu_seconds / peer.cpu_seconds for ours, peer in pairs]
    return [(ours.peak_mib - base.peak_mib) * 2**20 / MNIST_BYTES for ours, base in pairs]


def _median(sides: Sequence[Sequence[Measurement]], place: int, name: str) -> str:
    if len(sides) <= place or not sides[place]:
        return ""
    return f"{statistics.median(getattr(one, name) for one in sides[place]):.3g}"


def _measured(
    contest: Contest, figure: Figure, values: Sequence[float], sides: Sequence[Sequence[Measurement]]
) -> str:
    """Median (least to largest); bold where the goal is missed; what speaks against the comparison."""
    if not values:
        return "not told"
    middle = statistics.median(values)
    text = f"{middle:.3g} ({min(values):.3g} to {max(values):.3g})"
    text = f"**{text}**" if figure.goal is not None and middle > figure.goal else text
    notes = [f"torch imported: {'yes' if sides[0][0].figure('torch') else 'no'}"] if contest.imports else []
    notes += ["the sides do not agree"] if not agree(contest, sides) else []
    return "; ".join([text, *notes])


def agree(contest: Contest, sides: Sequence[Sequence[Measurement]]) -> bool:
    """Whether both sides have done the same work, as well."""
    if not contest.reached:
        return True
    for pair in zip(*sides, strict=False):
        ours, peer = (one.figure(contest.reached) for one in pair)
        if ours is None or peer is None:
            return False
        difference = ours - peer
        if difference > contest.margin or (-difference > contest.margin and not contest.no_worse):
            return False
    return True
