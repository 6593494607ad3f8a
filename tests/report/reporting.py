"""What the tests of reports share."""

import csv
import io
from pathlib import Path
from typing import Any, NamedTuple

from seedbed.report.report import report
from seedbed.track.record import Record

COMPARED = {"distribution", "differences", "paired_dots", "learning_curves", "cost", "cost_against_metric"}
SEARCHED = {"parallel_coordinates", "slices", "importances", "best_so_far", "expected_best"}
PAGES = {
    "report.html",
    "report.md",
    "model_card.md",
    "reproducibility.md",
    "results.csv",
    "settings.csv",
    "pairs.csv",
}


class Made(NamedTuple):
    """A study with its report."""

    study: Record
    out: Path
    html: str
    markdown: str

    def rows(self, name: str) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO((self.out / name).read_text())))


def made(study: Record, out: Path, **options: Any) -> Made:
    report(study.store, study.run_id, out, **options)
    return Made(study, out, (out / "report.html").read_text(), (out / "report.md").read_text())


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def figures(names: set[str]) -> set[str]:
    return {f"figures/{name}.{ending}" for name in names for ending in ("svg", "csv")}
