"""The pictures of a study: which there are, and all of them drawn, without a page around them."""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from seedbed.album import path
from seedbed.picture.picture import Picture
from seedbed.report import drawing, search_drawing, searched
from seedbed.report.evidence import Evidence, artifact, gather
from seedbed.report.figures import Figures
from seedbed.track.artifacts import NOTE, REST
from seedbed.track.manifest import seal
from seedbed.track.record import Record
from seedbed.track.store import Store

FOLDER = "pictures"  # of the study's artifacts
Make = Callable[[], Picture | None]


def of_study(
    store: Store, study_id: str, metric: str | None = None, names: Collection[str] | None = None
) -> tuple[list[Picture], list[str]]:
    """All pictures of a study, or those of these names, from its record alone.

    Args:
        store: where the study is.
        study_id: its parent run.
        metric: what the settings are compared by; None: as `compare`.
        names: None: all that the study has something for; another name than those is passed over.

    Returns:
        The pictures, and a sentence on each that failed.

    Raises:
        StoreError: for a run that is no study, and as `compare`.
    """
    figures = Figures(makers(gather(store, study_id, metric)))
    for name in figures.names:
        if names is None or name in names:
            figures.draw(name)
    return figures.drawn, figures.failed


def makers(evidence: Evidence) -> Mapping[str, Make]:
    """What draws each picture that this evidence has something for, in the order of a report."""
    comparison = evidence.comparison
    made: dict[str, Make] = {"distribution": lambda: drawing.distribution(comparison)}
    if comparison.pairs:
        made["differences"] = lambda: drawing.differences(comparison)
        made["paired_dots"] = lambda: drawing.paired_dots(comparison)
    if any(evidence.curves.values()):
        made["learning_curves"] = lambda: drawing.learning_curves(comparison, evidence.curves)
    if any(path.PENALTY in run.params for run in evidence.members):
        made["penalty_path"] = lambda: path.penalty_path(evidence.store, evidence.study.run_id)
    if evidence.trials is not None:
        made |= _of_search(searched.read(evidence.trials, evidence.space))
    if drawing.priced(comparison):
        made["cost"] = lambda: drawing.cost(comparison)
        made["cost_against_metric"] = lambda: drawing.cost_against_metric(comparison)
    return made


def _of_search(found: searched.Search) -> dict[str, Make]:
    if not found.finished:
        return {}
    made: dict[str, Make] = {
        "parallel_coordinates": lambda: search_drawing.parallel_coordinates(found),
        "slices": lambda: search_drawing.slices(found),
    }
    if len(found.tuned) > 1 and len(found.finished) >= searched.FEWEST_FOR_IMPORTANCES:
        made["importances"] = lambda: search_drawing.importances(found)
    made["best_so_far"] = lambda: search_drawing.best_so_far(found)
    made["expected_best"] = lambda: search_drawing.what_more_trials_buy(found)
    if len(found.objectives) > 1:
        made["trade_off"] = lambda: search_drawing.trade_off(found)
    return made


def write(pictures: Collection[Picture], folder: Path) -> None:
    """Writes each picture as `NAME.svg` and the numbers behind it as `NAME.csv`."""
    for picture in pictures:
        (folder / f"{picture.name}.svg").write_text(picture.svg, encoding="utf-8")
        (folder / f"{picture.name}.csv").write_text(picture.csv(), encoding="utf-8")


def keep(store: Store, study_id: str) -> tuple[int, list[str]]:
    """Draws all pictures of a study that has ended, and keeps them on its run, artifacts `pictures/`.

    Pictures that failed are told in the run's note.

    Args:
        store: where the study is.
        study_id: its parent run.

    Returns:
        How many were drawn, and a sentence on each that failed.

    Raises:
        StoreError: as `of_study`.
    """
    drawn, failed = of_study(store, study_id)
    record = Record(store, study_id)
    if drawn:
        with TemporaryDirectory() as folder:
            write(drawn, Path(folder))
            record.log_folder(Path(folder), FOLDER)
    _tell(record, failed)
    seal(record, FOLDER)
    return len(drawn), failed


def _tell(record: Record, failed: Collection[str]) -> None:
    """Adds to the note what it does not say yet."""
    note = record.tags().get(NOTE, "")
    if note.endswith(REST):  # too long for a tag
        note = artifact(record.store, record.run_id, "note.md") or note
    new = [f"{sentence}\n" for sentence in failed if sentence not in note]
    if new:
        record.set_note("\n\n".join([note, *new]).strip())
