"""The end of a study: table, verdicts and note on its record and on the terminal."""

from collections.abc import Mapping

from rich.console import Console

from seedbed.errors import TrainingError
from seedbed.study import summary
from seedbed.study.members import Member, members
from seedbed.study.outline import Outline
from seedbed.track.record import Record


def conclude(
    record: Record,
    outline: Outline,
    failed: Mapping[str, Member],
    spent: TrainingError | None,
    out: Console,
) -> TrainingError | None:
    children = members(record.store, record.run_id)
    metric = summary.headline(children)
    rows = summary.summarise(children, metric)
    out.print(summary.as_markdown(rows, metric))
    record.finish("FAILED" if failed or spent else "FINISHED")
    return spent
