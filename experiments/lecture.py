"""What the lecture's cases share: a run made and its record read, figures and tables written."""

import argparse
import csv
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from hydra import compose, initialize_config_dir

from seedbed import config
from seedbed.composing import from_hydra
from seedbed.job import Job
from seedbed.picture.picture import Picture
from seedbed.predictor import DESCRIPTION, Predictor
from seedbed.track.kept import kept
from seedbed.track.store import Store
from seedbed.train import Outcome, run

Rows = Sequence[Mapping[str, Any]]
QUIET = ("trainer.progress_bar=false", "track.system_metrics=false")


@contextmanager
def store_folder(root: Path | None) -> Iterator[Path]:
    """The folder that runs are recorded in: the one given, or one that goes afterwards."""
    if root is not None:
        yield root
        return
    with TemporaryDirectory(prefix="seedbed-lecture-") as scratch:
        yield Path(scratch) / "mlruns"


def options(package: str, about: str | None) -> argparse.ArgumentParser:
    """The command line that all cases share: --out and --root."""
    parser = argparse.ArgumentParser(
        prog=f"python -m experiments.{package}", description=(about or "").partition("\n")[0]
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for results.csv and figures/")
    parser.add_argument("--root", type=Path, help="folder of the record store; a temporary one without it")
    return parser


def job_of(root: Path, overrides: Sequence[str]) -> Job:
    """The job of `seedbed train OVERRIDES`, recorded in this store."""
    config.register()
    typed = [*overrides, f"track.root={root}", *QUIET]
    with initialize_config_dir(str(config.folder()), version_base="1.3"):
        composed = compose("train", typed, return_hydra_config=True)
        hydra = composed.hydra
        del composed.hydra
        return from_hydra(composed, hydra, " ".join(["seedbed train", *overrides]))


def trained(root: Path, overrides: Sequence[str]) -> Outcome:
    """What `seedbed train OVERRIDES` gives."""
    return run(job_of(root, overrides))


def studied(root: Path, overrides: Sequence[str]) -> None:
    """What `seedbed train -m OVERRIDES` does."""
    program = [sys.executable, "-m", "seedbed", "train", "-m"]
    subprocess.run([*program, *overrides, f"track.root={root}", *QUIET], check=True)


def predictor_of(root: Path, run_id: str, inputs: np.ndarray) -> np.ndarray:
    """Probabilities of the classes that a run's fitted model gives to raw inputs, one row an input."""
    with kept(Store.open(root), run_id) as files:
        folder = next(file.parent for path, file in files.items() if path.endswith(DESCRIPTION))
        probabilities: np.ndarray = Predictor.load(folder)(torch.from_numpy(inputs)).numpy()
    return probabilities


def table(root: Path, run_id: str, path: str) -> list[dict[str, str]]:
    """A CSV file that a run keeps."""
    with kept(Store.open(root), run_id) as files:
        return list(csv.DictReader(files[path].read_text().splitlines()))


def arrays(root: Path, run_id: str, path: str) -> dict[str, np.ndarray]:
    """The arrays of an .npz file that a run keeps."""
    with kept(Store.open(root), run_id) as files, np.load(files[path]) as found:
        return dict(found)


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
