"""What draws: the pictures of a run or a study, from the record alone."""

import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from seedbed.album.album import Album
    from seedbed.track.store import Store
    from seedbed.verdict.members import Member


@click.command()
@click.argument("run")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--out", default="pictures", show_default=True, help="Folder for the figures and their tables.")
@click.option("--runs", is_flag=True, help="Of a study also the pictures of each of its runs.")
@click.option("--root", default="mlruns", show_default=True, help="Folder of the record store.")
def picture(run: str, names: tuple[str, ...], out: str, runs: bool, root: str) -> None:
    """Draw the pictures of a RUN or a study again, from the record alone.

    RUN is its id, the beginning of one, its name, or `last`. NAME chooses pictures; without one all are drawn
    that take a moment, while gradcam, integrated_gradients, occlusion and embedding_umap have to be named.
    Each is written as NAME.svg with its caption, and its numbers as NAME.csv; both are put on the record as
    `pictures/`.

    Exit codes: 0 drawn; 1 a picture that was asked for by its name failed; 2 refused.
    """
    from seedbed.album.album import write
    from seedbed.errors import ConfigError
    from seedbed.terminal import said
    from seedbed.track.leftover import take_along
    from seedbed.verdict.find import find, is_study, opened

    store = opened(Path(root))
    found = find(store, run)
    _check_names(names, of_study=is_study(found))
    if runs and not is_study(found):
        do = "Leave --runs out, or name its study."
        raise ConfigError("--runs", expected="a study", got=f"the run {found.name}", do=do)
    write((), Path(out))  # a folder that cannot be had is told before anything is drawn
    take_along(store, said)
    made = _of(store, found, names, Path(out))
    if runs:
        made += _of_its_runs(store, found, names, Path(out))
    sys.exit(1 if names and any(album.failed for album in made) else 0)


def _check_names(names: Sequence[str], *, of_study: bool) -> None:
    from seedbed.album.makers import MAKERS
    from seedbed.errors import ConfigError
    from seedbed.picture.picture import NAMES

    known = NAMES if of_study else tuple(MAKERS)
    for name in names:
        if name not in known:
            raise ConfigError(
                f"picture of a {'study' if of_study else 'run'}",
                expected=f"one of {', '.join(known)}",
                got=repr(name),
                do="Choose some of them, or name none.",
            )


def _of(store: "Store", found: "Member", names: Sequence[str], out: Path) -> "list[Album]":
    """Makes, writes and keeps the pictures of one run or study, and says so."""
    from seedbed.album.album import of_run, write
    from seedbed.album.makers import COSTLY
    from seedbed.verdict.find import is_study

    made = _of_study(store, found, names) if is_study(found) else of_run(store, found, names)
    write(made.pictures, out)
    for sentence in made.sentences:
        click.echo(sentence, err=True)
    if made.empty:
        click.echo(f"{found.name} has nothing for: {', '.join(made.empty)}")
    if made.pictures:
        click.echo(f"{found.name}, in {out}: {', '.join(one.name for one in made.pictures)}")
    if not names and not is_study(found):
        click.echo(f"These take longer and are drawn when they are named: {', '.join(COSTLY)}")
    _keep(store, found, made)
    return [made]


def _keep(store: "Store", found: "Member", made: "Album") -> None:
    from seedbed.album.album import keep

    if found.status == "RUNNING":
        click.echo(f"{found.name} is still running: its record is left alone, and the pictures will change.")
    else:
        keep(store, found, made)


def _of_study(store: "Store", found: "Member", names: Sequence[str]) -> "Album":
    from seedbed.album.album import Album
    from seedbed.report.pictures import of_study

    pictures, sentences = of_study(store, found.run_id)
    chosen = [one for one in pictures if not names or one.name in names]
    failed = dict(_named(sentence) for sentence in sentences)
    wanted = {name: why for name, why in failed.items() if not names or name in names}
    missing = set(names) - {one.name for one in chosen} - set(wanted)
    return Album(chosen, wanted, [name for name in names if name in missing])


def _named(sentence: str) -> tuple[str, str]:
    """A figure that failed, and why, from the sentence that tells it."""
    match = re.fullmatch(r"The figure (\w+) is left out: (.*)", sentence, re.DOTALL)
    assert match is not None, sentence
    return match[1], match[2].replace("\n", " ")


def _of_its_runs(store: "Store", found: "Member", names: Sequence[str], out: Path) -> "list[Album]":
    """Those of every run of a study, each in a folder of its own."""
    from seedbed.album.makers import MAKERS
    from seedbed.verdict.find import runs_of

    wanted = [name for name in names if name in MAKERS]
    if names and not wanted:
        return []
    made: list[Album] = []
    for run in runs_of(store, found):
        folder = out / f"{re.sub(r'[^A-Za-z0-9.=-]+', '_', run.name)}-{run.run_id[:8]}"
        made += _of(store, run, wanted, folder)
    return made


def after_training(track: Mapping[str, Any], run_id: str) -> None:
    """Puts a run's pictures on its record; whatever goes wrong is said, and the run stays what it is.

    Args:
        track: the run's own config of the record.
        run_id: of a run that has just been closed.
    """
    from seedbed.manual import command_line

    if not track["pictures"]:
        return
    later = command_line("picture", run_id, track["root"])
    try:
        told = _made_after_training(track, run_id)
    except Exception as error:  # noqa: BLE001 - no picture is worth the result of a training
        told = [f"The run's pictures are not made ({type(error).__name__}: {error})."]
    for sentence in told:
        click.echo(f"{sentence} Again: {later}", err=True)


def _made_after_training(track: Mapping[str, Any], run_id: str) -> list[str]:
    """Sentences on what could not be made."""
    from seedbed.album.album import keep, of_run
    from seedbed.track.record import Record
    from seedbed.track.store import Store
    from seedbed.verdict.members import of_run as member_of

    store = Store.open(Path(track["root"]), offline=track["offline"], may_be_away=True)
    if Record(store, run_id).waits:
        return ["The run's pictures are not made: the record store lacks a part of it still."]
    run = member_of(store.client.get_run(run_id))
    made = of_run(store, run)
    keep(store, run, made)
    return made.sentences
