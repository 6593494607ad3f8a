"""What a record is worth: re-run, verified, compared, packed."""

import shlex
import sys
from pathlib import Path

import click


@click.command()
@click.argument("first", metavar="RUN")
@click.argument("second", metavar="RUN")
@click.option("--root", default="mlruns", show_default=True, help="Folder of the record store.")
def diff(first: str, second: str, root: str) -> None:
    """Show what differs between two runs: config, code, packages, data, device, then metrics.

    RUN is a run's id, the beginning of one, a name, or `last`.
    """
    from shutil import get_terminal_size

    from seedbed.reproduce.contrast import contrast
    from seedbed.reproduce.recorded import recorded
    from seedbed.verdict.find import find, opened

    store = opened(Path(root))
    run, other = (recorded(store, find(store, text).run_id) for text in (first, second))
    width = max(get_terminal_size(fallback=(100, 24)).columns, 60)
    click.echo(contrast(run, other, width), nl=False)


@click.command()
@click.argument("run")
@click.argument("overrides", metavar="[KEY=VALUE]...", nargs=-1)
@click.option("--here", is_flag=True, help="With the code and packages that are here, not the recorded ones.")
@click.option("--allow-data-change", is_flag=True, help="Also on data with other digests than the record's.")
@click.option(
    "--fresh-seed", metavar="SEED", type=int, help="With another seed: does the study's interval hold?"
)
@click.option(
    "--sample", metavar="N", type=click.IntRange(min=1), help="Only N runs of a study, drawn at random."
)
@click.option("--out", metavar="FILE", help="Write the table of a study as CSV, too.")
@click.option("--root", default="mlruns", show_default=True, help="Folder of the record store.")
def reproduce(
    run: str,
    overrides: tuple[str, ...],
    here: bool,
    allow_data_change: bool,
    fresh_seed: int | None,
    sample: int | None,
    out: str | None,
    root: str,
) -> None:
    """Re-run a RUN, or the runs of a study, from the record, and say whether it holds.

    RUN is an id, the beginning of one, a name, or `last`. Code, packages and data are the recorded ones;
    KEY=VALUE changes any key of the run.

    Exit codes: 0 identical; 3 same metrics; 4 within tolerance; 5 same distribution; 1 different, or the
    re-run died; 2 refused before it began.
    """
    from seedbed.reproduce.reproduction import reproduced
    from seedbed.reproduce.rerun import Options, RerunError
    from seedbed.reproduce.sampling import check_run, check_study, sampled
    from seedbed.verdict.find import find, is_study, opened

    store, table = opened(Path(root)), Path(out) if out else None
    found = find(store, run)
    options = Options(here, allow_data_change, fresh_seed, overrides, shlex.join(["seedbed", *sys.argv[1:]]))
    try:
        if is_study(found):
            check_study(options)
            code = sampled(store, found, options, sample=sample, out=table)
        else:
            check_run(sample, table)
            code = reproduced(store, found.run_id, options).code
    except RerunError as ended:  # its process has said why
        code = ended.code
    sys.exit(code)


@click.command(hidden=True)
@click.argument("folder")
def rerun(folder: str) -> None:
    """Run the job that `reproduce` has left in a FOLDER; other commits call it, too."""
    from seedbed.reproduce.replay import replay

    replay(Path(folder))


@click.command()
@click.argument("run")
@click.option("--root", default="mlruns", show_default=True, help="Folder of the record store.")
def verify(run: str, root: str) -> None:
    """Check the record of a RUN or a study against itself, without training.

    RUN is its id, the beginning of one, its name, or `last`. One line a check; exit code 1 if anything
    is wrong. Nothing is written.
    """
    from seedbed.reproduce.verify import verify as look
    from seedbed.verdict.find import find, opened

    store, wrong = opened(Path(root)), 0
    for looked in look(store, find(store, run)):
        click.echo(f"{looked.name} ({looked.run_id})")
        for check in looked.checks:
            click.echo(f"  {check.line()}")
            wrong += check.state == "wrong"
    click.echo(f"{wrong} of the checks found something wrong." if wrong else "Nothing is wrong.")
    sys.exit(1 if wrong else 0)


@click.command()
@click.argument("run")
@click.option("--out", required=True, metavar="FILE", help="The archive, a zip file that is not there yet.")
@click.option("--data", is_flag=True, help="Also the data's files, if you may hand them on.")
@click.option("--root", default="mlruns", show_default=True, help="Folder of the record store.")
def pack(run: str, out: str, data: bool, root: str) -> None:
    """Write a RUN or a study to one file, from which it can be verified and re-run elsewhere.

    RUN is its id, the beginning of one, its name, or `last`. In the file: the record with every metric
    and artifact, the code of its commit, digests of the data. The same record gives the same bytes.
    """
    from seedbed.reproduce.pack import pack as write
    from seedbed.terminal import counted
    from seedbed.verdict.find import find, opened

    store = opened(Path(root))
    packed = write(store, find(store, run), Path(out), with_data=data)
    for sentence in packed.without:
        click.echo(sentence, err=True)
    click.echo(f"{counted(packed.num_runs, 'run')} in {out}: {Path(out).stat().st_size} bytes.")


@click.command()
@click.argument("file")
@click.option("--root", default="mlruns", show_default=True, help="Folder of the store to load it into.")
def unpack(file: str, root: str) -> None:
    """Load a FILE that `pack` wrote into a record store; what is there already stays.

    All of it is checked first: of a file that is broken, or not as `pack` writes them, nothing is loaded.
    """
    from seedbed.manual import command_line
    from seedbed.reproduce.unpack import unpack as load

    done = load(Path(file), Path(root))
    for run in done:
        how = "is here as" if run.known else "is now"
        click.echo(f"{run.name}: {run.old[:8]} {how} {run.new}")
    for verb in ("verify", "reproduce"):
        click.echo(f"Next: {command_line(verb, done[0].new[:8], root)}")
