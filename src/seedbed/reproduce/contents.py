"""What an archive says of its runs, checked before anything is made of it."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from seedbed.errors import ConfigError, StoreError
from seedbed.job import Job, check_targets
from seedbed.recording import JOB
from seedbed.reproduce import code
from seedbed.reproduce.archive import name_of
from seedbed.reproduce.entries import refused
from seedbed.track.checkout import GitError
from seedbed.track.entries import Point
from seedbed.track.journal import MAX_NAME_LENGTH, NAME
from seedbed.track.values import PARAM_LIMIT, TAG_LIMIT

RUN_ID = re.compile(r"[0-9a-f]{32}")
ENDED = ("FINISHED", "FAILED", "KILLED")
MAX_KEY = 250
TEXTS, TIMES = ("experiment", "name", "status"), ("start_time", "end_time")
DATASET = ("name", "digest", "source_type", "source")
# What plain values that are others than they should be make their readers raise.
WRONG = (ValueError, TypeError, KeyError, AttributeError, RecursionError, OSError, StoreError, ConfigError)


class Contents(NamedTuple):
    """One run of an archive.

    Args:
        told: what the store knew of it.
        folder: where its files lie.
        job: what ran; None of a study.
    """

    told: dict[str, Any]
    folder: Path
    job: Job | None

    @property
    def run_id(self) -> str:
        """MLflow's id where it was packed."""
        return str(self.told["run_id"])

    @property
    def parent(self) -> str | None:
        """The id of its study, where it was packed."""
        found: str | None = self.told["tags"].get("mlflow.parentRunId")
        return found

    def points(self) -> Iterator[Point]:
        """Every point of its metrics."""
        with (self.folder / "metrics.jsonl").open() as lines:
            for line in lines:
                name, step, time, value = json.loads(line)
                yield Point(name, float.fromhex(value), time, step)


def contents(path: Path, folder: Path) -> list[Contents]:
    """The runs of an archive, a study's own first.

    Args:
        path: the archive, for what is said of it.
        folder: what was read from it.

    Raises:
        StoreError: for runs that no store could have known, or that name code of others.
    """
    try:
        found = [_contents(part) for part in sorted((folder / "runs").iterdir())]
    except WRONG as error:
        words = str(error).partition("\n")[0]
        raise refused(
            path, "runs as `seedbed pack` writes them", f"{type(error).__name__}: {words}"
        ) from error
    if not found:
        raise refused(path, "a run", "none")
    return sorted(found, key=lambda part: (part.parent is not None, part.told["start_time"]))


def _contents(folder: Path) -> Contents:
    told = json.loads((folder / "run.json").read_bytes())
    if not RUN_ID.fullmatch(told["run_id"]) or told["run_id"] != folder.name:
        raise ValueError(f"run id {told['run_id']!r} in {folder.name}")
    _check_told(told)
    job = folder / "artifacts" / JOB
    found = Contents(told, folder, Job.load(job) if job.exists() else None)
    if found.job is not None:
        check_targets(found.job.config)
        _expect(all(isinstance(found.job.config[group], dict) for group in ("track", "data")), "a job")
    for point in found.points():
        _check_point(point)
    return found


def _check_told(told: Mapping[str, Any]) -> None:
    _expect(all(isinstance(told[name], str) for name in TEXTS), "texts")
    _expect(all(type(told[name]) is int for name in TIMES), "times in milliseconds")
    _expect(told["status"] in ENDED, f"one of {', '.join(ENDED)}")
    _check_texts(told["params"], PARAM_LIMIT)
    _check_texts(told["tags"], TAG_LIMIT)
    for used in told["inputs"]:
        _expect(all(isinstance(used[name], str) for name in DATASET), "data sets")
        _expect(isinstance(json.loads(used["profile"]), dict), "profiles of data sets")
        _check_texts(used["tags"], TAG_LIMIT)
    if told["model"] is not None:
        _check_texts(told["model"], TAG_LIMIT)
    _expect(told["data"] is None or re.fullmatch(r"data/[0-9a-f]{16}", told["data"]), "a folder of data")


def _check_texts(texts: Mapping[str, Any], limit: int) -> None:
    for name, text in texts.items():
        short = len(name) <= MAX_KEY and len(text) <= limit
        _expect(isinstance(text, str) and short, f"texts of at most {limit} characters")


def _check_point(point: Point) -> None:
    whole = type(point.step) is int and type(point.time) is int and point.time >= 0
    _expect(
        whole and bool(NAME.fullmatch(point.name)) and len(point.name) <= MAX_NAME_LENGTH, "points of metrics"
    )


def _expect(right: object, what: str) -> None:
    if not right:
        raise ValueError(f"expected {what}")


def data(path: Path, folder: Path) -> list[Path]:
    """The folders of data that an archive brings, each named by what is in it.

    Args:
        path: the archive, for what is said of it.
        folder: what was read from it.

    Raises:
        StoreError: for one of another name, which would be taken for other data later.
    """
    found = sorted((folder / "data").glob("*"))
    for part in found:
        files = {str(file.relative_to(part)): file for file in part.rglob("*") if file.is_file()}
        if part.name != name_of(files):
            raise refused(path, "folders of data named by their content", part.name)
    return found


def repositories(path: Path, folder: Path) -> dict[str, Path]:
    """A bare repository of each commit that an archive brings, made beside what was read from it.

    Args:
        path: the archive, for what is said of it.
        folder: what was read from it.

    Raises:
        StoreError: for a pack that is broken or is not of the commit that it says.
    """
    made = {}
    for pack in sorted((folder / "code").glob("*")):
        commit = pack.stem
        if pack.suffix != ".pack" or not code.COMMIT.fullmatch(commit):
            raise refused(path, "packs of commits under code/", pack.name)
        made[commit] = folder / "made" / f"{commit}.git"
        try:
            code.unpacked(pack, commit, made[commit])
        except (GitError, OSError) as error:
            raise refused(path, f"the whole commit {commit}", str(error)) from error
    return made
