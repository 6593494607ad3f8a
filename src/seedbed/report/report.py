"""A study as a folder: one HTML page, the same in markdown, a model card, a checklist, tables, figures."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory
from typing import NamedTuple

from seedbed.errors import StoreError
from seedbed.picture.picture import NAMES
from seedbed.report import chapters, page, particulars, pictures
from seedbed.report.checklist import checklist
from seedbed.report.closing import CARD, CHECKLIST
from seedbed.report.drawing import CPU_SECONDS
from seedbed.report.evidence import STAGE, Evidence, gather
from seedbed.report.model_card import model_card
from seedbed.track.manifest import seal
from seedbed.track.record import Record
from seedbed.track.store import Store
from seedbed.verdict.grouping import differing, is_repetition
from seedbed.verdict.members import Member

FOLDER = "report"  # of the parent run's artifacts
KEY_METRICS = ("test/", "best_val/")
SECONDS = (CPU_SECONDS, "fit/wall_seconds")


class Written(NamedTuple):
    """What was made: the page, and the figures that failed, as sentences."""

    page: Path
    failed: Sequence[str]


def report(
    store: Store, study_id: str, out: Path, metric: str | None = None, margin: float | None = None
) -> Written:
    """Writes the report of a study to a folder and to the study's own run, artifacts `report/`.

    What an earlier report left in the folder is replaced; other files stay.

    Args:
        store: where the study is.
        study_id: its parent run.
        out: folder, made where it is missing.
        metric: what the settings are compared by; None: as `compare`.
        margin: largest difference that does not matter; None: not asked.

    Raises:
        StoreError: for a folder that cannot be written, a run that is no study, and as `compare`.
    """
    _check(out)
    evidence = gather(store, study_id, metric, margin)
    root, found = _root(store), particulars.read(store, evidence)
    made = chapters.compose(evidence, root)
    beside = {
        CARD: ("Model card", model_card(evidence, found)),
        CHECKLIST: ("Reproducibility", checklist(evidence, found, root)),
    }
    with TemporaryDirectory() as folder:
        _write(Path(folder), evidence, made)
        for name, (title, sections) in beside.items():
            told = page.as_markdown(f"{title}: {made.title}", sections)
            (Path(folder) / name).write_text(told)
        _place(Path(folder), out)
        record = Record(store, study_id)
        record.log_folder(Path(folder), FOLDER)
        seal(record, FOLDER)
    return Written(out / "report.html", made.failed)


def _root(store: Store) -> str:
    """The record's folder as one would type it from here."""
    here = Path.cwd()
    return str(store.root.relative_to(here)) if store.root.is_relative_to(here) else str(store.root)


def _check(out: Path) -> None:
    found = next((path for path in (out, *out.parents) if path.exists()), out)
    if not found.is_dir():
        raise _unwritable(out, f"the file {found}")


def _unwritable(out: Path, got: str) -> StoreError:
    return StoreError(
        f"--out {out}", expected="a folder to write in", got=got, do="Choose another: --out FOLDER."
    )


def _write(folder: Path, evidence: Evidence, made: chapters.Report) -> None:
    (folder / "figures").mkdir()
    pictures.write(made.pictures, folder / "figures")
    (folder / "report.html").write_text(page.as_html(made.title, made.sections))
    (folder / "report.md").write_text(page.as_markdown(made.title, made.sections))
    (folder / "results.csv").write_text(results_csv(evidence.members, evidence.comparison.metric))
    (folder / "settings.csv").write_text(evidence.comparison.settings_csv())
    if evidence.comparison.pairs:
        (folder / "pairs.csv").write_text(evidence.comparison.csv())


def _place(folder: Path, out: Path) -> None:
    """Copies the report; a figure of an earlier one that this one has not would be mistaken for its own."""
    try:
        for name in NAMES:
            for ending in ("svg", "csv"):
                (out / "figures" / f"{name}.{ending}").unlink(missing_ok=True)
        (out / "pairs.csv").unlink(missing_ok=True)
        copytree(folder, out, dirs_exist_ok=True)
    except OSError as error:
        raise _unwritable(out, str(error.strerror or error)) from error


def results_csv(runs: Sequence[Member], metric: str) -> str:
    """One row a run, in any state: identity, setting, seeds and folds, metrics, seconds; floats in full.

    Args:
        runs: all of the study.
        metric: what is compared, in the first column of the metrics.
    """
    keys = dict.fromkeys(key for run in runs for key in run.params)
    labels, seeds = differing([run.params for run in runs]), [key for key in keys if is_repetition(key)]
    names = sorted({name for run in runs for name in run.metrics if name.startswith(KEY_METRICS)} - {metric})
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["run_id", "name", "status", "stage", *labels, *seeds, metric, *names, *SECONDS])
    for run in runs:
        told = [run.params.get(key, "") for key in (*labels, *seeds)]
        numbers = [run.metrics.get(name, "") for name in (metric, *names, *SECONDS)]
        writer.writerow([run.run_id, run.name, run.status, run.tags.get(STAGE, ""), *told, *numbers])
    return out.getvalue()
