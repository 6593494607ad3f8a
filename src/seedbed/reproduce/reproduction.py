"""A record re-run and judged, and the verdict written on the new run."""

from typing import NamedTuple

import click

from seedbed.errors import StoreError
from seedbed.reproduce.difference import differences
from seedbed.reproduce.distribution import interval_of
from seedbed.reproduce.judgement import EXIT_CODES, Judgement, judge
from seedbed.reproduce.recorded import Recorded, recorded
from seedbed.reproduce.rerun import Options, rerun
from seedbed.track.artifacts import NOTE
from seedbed.track.record import Record
from seedbed.track.store import Store

VERDICT = "seedbed.reproduction"


class Reproduction(NamedTuple):
    """A run, the one that repeated it, and what they show of each other."""

    original: Recorded
    again: Recorded
    judgement: Judgement

    @property
    def code(self) -> int:
        """Exit code of the verdict."""
        return EXIT_CODES[self.judgement.verdict]


def reproduced(store: Store, run_id: str, options: Options) -> Reproduction:
    """Re-runs one record, judges it, tells both the terminal and the new run.

    Args:
        store: where the record is.
        run_id: MLflow's id of a finished run.
        options: how it is repeated.

    Raises:
        SeedbedError: for a record or situation from which it cannot be.
        RerunError: where the re-run did not finish.
    """
    original = recorded(store, run_id)
    if original.status != "FINISHED":
        raise StoreError(
            f"run {original.name} ({run_id})",
            expected="one that is FINISHED",
            got=original.status,
            do=f"Let it go on first: seedbed resume {run_id[:8]}",
        )
    changed = "".join(f" {override}" for override in options.overrides)
    click.echo(f"Re-running {original.name} ({run_id}){' with' * bool(changed)}{changed}", err=True)
    again = recorded(store, rerun(store, original, options))
    interval = None if options.fresh_seed is None else interval_of(store, original)
    found = Reproduction(original, again, judge(original, again, interval))
    _say(store, found, options)
    return found


def _say(store: Store, found: Reproduction, options: Options) -> None:
    """The verdict, on the terminal and on the record of the new run."""
    original, again, judgement = found
    lines = list(judgement.told)
    if options.here:  # what is here may differ and yet move nothing
        told = [one.told() for one in differences(original, again)]
        lines += [f"Not as recorded: {line}" for line in told if not any(line in known for known in lines)]
    click.echo("\n".join([*lines, f"Run {again.run_id} is on record."]))
    record = Record(store, again.run_id)
    record.set_tags({VERDICT: judgement.verdict})
    head = f"Reproduces {original.name} ({original.run_id}): **{judgement.verdict}**"
    record.set_note("\n\n".join([again.tags.get(NOTE, ""), head, *lines]))
