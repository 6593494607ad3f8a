"""A study re-run: all of its runs or a random sample of them, one table."""

import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from seedbed.errors import ConfigError, SeedbedError, StoreError
from seedbed.reproduce.judgement import EXIT_CODES
from seedbed.reproduce.reproduction import Reproduction, reproduced
from seedbed.reproduce.rerun import Options, RerunError
from seedbed.stopping import SIGNALS
from seedbed.track.store import Store
from seedbed.verdict.find import runs_of
from seedbed.verdict.members import Member

# The sample is random in that nobody chose it, and the same whenever it is drawn again.
SAMPLE_SEED = 0
NOT_RERUN = "not re-run"
WORST = [NOT_RERUN, "different", "same distribution", "within tolerance", "same metrics", "identical"]


class Row(NamedTuple):
    """One run of a study, as the table and the CSV have it."""

    run_id: str
    run: str
    verdict: str
    largest_deviation: str
    place: str
    again_run_id: str

    @classmethod
    def of(cls, run: Member, found: Reproduction | None) -> "Row":
        """The row of a run; None where it could not be re-run."""
        if found is None:
            return cls(run.run_id, run.name, NOT_RERUN, "", "", "")
        judgement = found.judgement
        far = judgement.deviation.told() if judgement.deviation.distance else "none"
        return cls(run.run_id, run.name, judgement.verdict, far, judgement.place, found.again.run_id)


def sampled(
    store: Store, study: Member, options: Options, *, sample: int | None = None, out: Path | None = None
) -> int:
    """Re-runs the finished runs of a study and tells what became of each.

    Args:
        store: where it is.
        study: the parent run.
        options: how each is repeated.
        sample: how many, drawn at random; None: all.
        out: CSV file for the table.

    Returns:
        The exit code of the worst verdict.

    Raises:
        SeedbedError: for a study without finished runs or fewer than asked for.
    """
    runs = drawn(study, [run for run in runs_of(store, study) if run.status == "FINISHED"], sample)
    rows = [Row.of(run, _tried(store, run, options)) for run in runs]
    if out is not None:
        _write(rows, out)
    _print(rows)
    worst = min((row.verdict for row in rows), key=WORST.index)
    return 1 if worst == NOT_RERUN else {str(verdict): code for verdict, code in EXIT_CODES.items()}[worst]


def drawn(study: Member, finished: Sequence[Member], sample: int | None) -> list[Member]:
    """The sample, in the order of the study; told.

    Raises:
        StoreError: where there are not so many, or none.
    """
    if len(finished) < (sample or 1):
        raise StoreError(
            f"study {study.name} ({study.run_id})",
            expected=f"{sample or 1} finished runs or more",
            got=str(len(finished)),
            do="Name another study" + (", or a smaller --sample." if sample else "."),
        )
    if sample is None:
        return list(finished)
    chosen = np.random.default_rng(SAMPLE_SEED).choice(len(finished), sample, replace=False)
    click.echo(f"{sample} of {len(finished)} finished runs, drawn with seed {SAMPLE_SEED}", err=True)
    return [finished[place] for place in sorted(chosen)]


def _tried(store: Store, run: Member, options: Options) -> Reproduction | None:
    """The reproduction; None, with the reason on the terminal, where there was none. A signal ends all."""
    try:
        return reproduced(store, run.run_id, options)
    except RerunError as ended:
        if ended.code - 128 in SIGNALS:
            raise
    except SeedbedError as error:
        click.echo(f"{run.name}: {error}", err=True)
    return None


def _print(rows: Sequence[Row]) -> None:
    table = Table("run", "verdict", "largest deviation", "where they part")
    for row in rows:
        table.add_row(row.run, row.verdict, row.largest_deviation, row.place)
    Console(highlight=False, markup=False, emoji=False).print(table)
    counts = Counter(row.verdict for row in rows)
    for verdict in reversed(WORST):
        if counts[verdict]:
            click.echo(f"{verdict}: {counts[verdict]} of {len(rows)}")


def _write(rows: Sequence[Row], out: Path) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(Row._fields)
        writer.writerows(rows)


def check_run(sample: int | None, out: Path | None) -> None:
    """Refuses what a single run does not heed.

    Raises:
        ConfigError: naming the option.
    """
    for name, value in (("--sample", sample), ("--out", out)):
        if value is not None:
            raise ConfigError(name, expected="a study", got="a single run", do="Leave it out.")


def check_study(options: Options) -> None:
    """Refuses what would make the runs of a study alike.

    Raises:
        ConfigError: naming the option.
    """
    if options.fresh_seed is not None:
        raise ConfigError("--fresh-seed", expected="a single run", got="a study", do="Name one of its runs.")
