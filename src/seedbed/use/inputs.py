"""Paths that somebody named to inputs, one after the other, so that no folder is held in memory."""

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from torchvision.datasets.folder import IMG_EXTENSIONS

from seedbed.errors import DataError, StoreError
from seedbed.use.images import Rule, pixels
from seedbed.use.item import Input, Item
from seedbed.use.tables import rows
from seedbed.use.trained import Trained

RESIZING = "seedbed.data.image_folder."
TABLE_EXTENSIONS = (".csv",)


class Inputs:
    """The inputs of some paths.

    A file is read whatever its name; of a folder, files at any depth whose names end as images (for a
    table: as CSV files) do, in the order of their names.

    Args:
        model: whose rule of reading holds.
        paths: files and folders.

    Attributes:
        num_passed_over: files of folders that do not end so, as far as the paths were followed.

    Raises:
        StoreError: for a model of a table whose record does not name the columns.
    """

    def __init__(self, model: Trained, paths: Iterable[Path]) -> None:
        self._paths, self.num_passed_over = paths, 0
        self._endings = IMG_EXTENSIONS if is_of_images(model) else TABLE_EXTENSIONS
        self._read = _reader(model)

    def __iter__(self) -> Iterator[Item]:
        for path in self._paths:
            for found in self._files(path):
                if isinstance(found, DataError):
                    yield found
                else:
                    yield from self._read(found)

    def _files(self, path: Path) -> Iterator[Path | DataError]:
        if not path.is_dir():
            yield path if path.exists() else _missing(path, "nothing there")
            return
        hidden: list[DataError] = []
        for folder, below, names in os.walk(path, onerror=lambda error: hidden.append(_unread(error))):
            below.sort()
            for name in sorted(names):
                if name.lower().endswith(self._endings):
                    yield Path(folder) / name
                else:
                    self.num_passed_over += 1
        yield from hidden


def is_of_images(model: Trained) -> bool:
    """Whether raw inputs have channels, a height and a width."""
    return len(model.predictor.raw_shape) == 3


def rule_of(model: Trained) -> Rule:
    """How the run's own data read an image."""
    target = str(model.subject.job.config["data"]["_target_"])
    return Rule(model.predictor.raw_shape, target.startswith(RESIZING), model.full_scale)


def _reader(model: Trained) -> Callable[[Path], Iterator[Item]]:
    if is_of_images(model):
        rule = rule_of(model)
        return lambda file: iter([_image(rule, file)])
    names = model.predictor.column_names
    if not names:
        raise StoreError(
            f"run {model.name} ({model.run_id})",
            expected="a record that names the columns of its table",
            got="one of before they were kept",
            do="Train it again.",
        )
    return lambda file: rows(file, names)


def _image(rule: Rule, file: Path) -> Item:
    try:
        return Input(str(file), pixels(rule, str(file), str(file)))
    except DataError as error:
        return error


def _missing(path: Path, got: str) -> DataError:
    return DataError(str(path), expected="a file or a folder", got=got, do="Correct the path.")


def _unread(error: OSError) -> DataError:
    return _missing(Path(str(error.filename)), str(error.strerror))
