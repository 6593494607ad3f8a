"""What the lecture's cases share: a run made and its record read, figures and tables written."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir

from seedbed import config
from seedbed.composing import from_hydra
from seedbed.job import Job
from seedbed.picture.picture import Picture
from seedbed.track.kept import kept
from seedbed.track.store import Store
from seedbed.train import Outcome, run

Rows = Sequence[Mapping[str, Any]]


def job_of(root: Path, overrides: Sequence[str]) -> Job:
    """The job of `seedbed train OVERRIDES`, recorded in this store."""
    config.register()
    typed = [*overrides, f"track.root={root}", "trainer.progress_bar=false", "track.system_metrics=false"]
    with initialize_config_dir(str(config.folder()), version_base="1.3"):
        composed = compose("train", typed, return_hydra_config=True)
        hydra = composed.hydra
        del composed.hydra
        return from_hydra(composed, hydra, " ".join(["seedbed train", *overrides]))


def trained(root: Path, overrides: Sequence[str]) -> Outcome:
    """What `seedbed train OVERRIDES` gives."""
    return run(job_of(root, overrides))


def table(root: Path, run_id: str, path: str) -> list[dict[str, str]]:
    """A CSV file that a run keeps."""
    with kept(Store.open(root), run_id) as files:
        return list(csv.DictReader(files[path].read_text().splitlines()))


def write_pictures(folder: Path, pictures: Iterable[Picture]) -> None:
    """Each as NAME.svg, with the numbers behind it as NAME.csv."""
    folder.mkdir(parents=True, exist_ok=True)
    for picture in pictures:
        (folder / f"{picture.name}.svg").write_text(picture.svg)
        (folder / f"{picture.name}.csv").write_text(picture.csv())


def write_rows(path: Path, rows: Rows) -> None:
    """Rows of the same columns as CSV, floats to the last digit."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
