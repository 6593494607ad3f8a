"""The pictures of a run: made, written to a folder, put on its record."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from seedbed.album.makers import COSTLY, MAKERS, Maker
from seedbed.errors import StoreError
from seedbed.picture.caption import captioned
from seedbed.picture.picture import Picture
from seedbed.reproduce.check import Subject
from seedbed.track.kept import kept
from seedbed.track.manifest import seal
from seedbed.track.record import Record
from seedbed.track.store import Store
from seedbed.verdict.members import Member

FOLDER = "pictures"  # of a run's artifacts
# A line a picture that failed when it was last made.
FAILED = "seedbed.failed_pictures"

# What became of a picture: itself, what it failed of, or None where there is nothing to draw.
Drawn = Mapping[str, Picture | Exception | None]


class Album(NamedTuple):
    """What was made of one run or study.

    Args:
        pictures: in their order.
        failed: name to what it failed of, one line.
        empty: names for which there was nothing to draw.
    """

    pictures: Sequence[Picture]
    failed: Mapping[str, str]
    empty: Sequence[str]

    @property
    def sentences(self) -> list[str]:
        """One a picture that failed."""
        return [f"The picture {name} is left out: {why}" for name, why in self.failed.items()]


def drawn(store: Store, run: Member, names: Iterable[str]) -> Drawn:
    """Each of these pictures of a run, or what became of it.

    Args:
        store: where the run is.
        run: of any status.
        names: of `MAKERS`.
    """
    with kept(store, run.run_id) as files:
        subject = Subject(store, run, store.client.get_run(run.run_id), files)
        return {name: _attempted(MAKERS[name], subject) for name in names}


def _attempted(make: Maker, subject: Subject) -> Picture | Exception | None:
    try:
        return make(subject)
    except Exception as error:  # noqa: BLE001 - whatever a picture fails of is told; the others stand without it
        return error


def of_run(store: Store, run: Member, names: Iterable[str] = ()) -> Album:
    """Makes the pictures of a run from its record.

    Args:
        store: where the run is.
        run: of any status.
        names: which; none: all that are not costly.
    """
    found = drawn(store, run, list(names) or [name for name in MAKERS if name not in COSTLY])
    return Album(
        [picture for picture in found.values() if isinstance(picture, Picture)],
        {name: told(why) for name, why in found.items() if isinstance(why, Exception)},
        [name for name, picture in found.items() if picture is None],
    )


def told(error: Exception) -> str:
    """What a picture failed of, in one line."""
    return f"{type(error).__name__}: {error}".rstrip(": ").replace("\n", " ")


def write(pictures: Iterable[Picture], folder: Path) -> None:
    """Writes `<name>.svg`, its caption in it, and `<name>.csv` of each; other files of the folder stay.

    Raises:
        StoreError: for a folder that cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for picture in pictures:
            (folder / f"{picture.name}.svg").write_text(captioned(picture.svg, picture.caption))
            (folder / f"{picture.name}.csv").write_text(picture.csv())
    except OSError as error:
        raise StoreError(
            f"--out {folder}",
            expected="a folder to write in",
            got=str(error.strerror or error),
            do="Choose another: --out FOLDER.",
        ) from error


def keep(store: Store, run: Member, made: Album) -> None:
    """Puts pictures on the record of a closed run or study, and says on it which have failed.

    Its manifest is renewed for the pictures alone, so that it verifies as before.

    Args:
        store: where it is.
        run: not RUNNING: a record in the making belongs to the process that makes it.
        made: what is kept; earlier pictures of other names stay.
    """
    record = Record(store, run.run_id)
    if made.pictures:
        with TemporaryDirectory() as folder:
            write(made.pictures, Path(folder))
            record.log_folder(Path(folder), FOLDER)
    _note_failures(record, run, made)
    if made.pictures:
        seal(record, FOLDER)


def _note_failures(record: Record, run: Member, made: Album) -> None:
    """The tag tells the latest on each picture; it goes when none is left."""
    lines = [line for line in run.tags.get(FAILED, "").splitlines() if line]
    before = dict(line.split(": ", 1) for line in lines)
    again = {picture.name for picture in made.pictures} | set(made.empty)
    now = {name: why for name, why in (before | dict(made.failed)).items() if name not in again}
    if now:
        record.set_tags({FAILED: "\n".join(f"{name}: {why}" for name, why in now.items())})
    elif before:
        record.take_tags([FAILED])
