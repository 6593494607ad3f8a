"""Listings: the image files of a folder of class folders, without opening them."""

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import final

import torch
from torchvision import datasets

from seedbed.errors import DataError
from seedbed.shapes import Labels


@final
@dataclass(frozen=True)
class Listing:
    """Image files, class by class in alphabetical order, and their labels."""

    folder: Path
    files: tuple[str, ...]
    labels: Labels
    class_names: tuple[str, ...]

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of names, sizes and times: cheap, and different whenever a file was touched.

        The second time is that of the inode, which unpacking an archive over the folder cannot fake.
        """
        start = len(str(self.folder)) + 1
        seen = ((file[start:], os.stat(file)) for file in self.files)  # noqa: PTH116 - a third of the time
        return _sha256((name, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns) for name, stat in seen)

    def content(self) -> str:
        """SHA-256 of the bytes of all files, in order: the same wherever the folder is copied to.

        Raises:
            DataError: naming a file that cannot be read.
        """
        return _sha256((_file_digest(file),) for file in self.files)


def listed(folder: Path) -> Listing:
    """The images of `folder/<class>/`, as torchvision lists them.

    Raises:
        DataError: if there is no class folder, or one without images.
    """
    try:
        found = datasets.ImageFolder(str(folder))
    except FileNotFoundError as failure:
        raise DataError(
            f"data.root ({folder})",
            expected="a folder with one folder of images a class",
            got=" ".join(str(failure).split()),
            do="Set data.root to such a folder; remove or fill empty class folders.",
        ) from failure
    files = tuple(file for file, _ in found.samples)
    return Listing(folder, files, torch.tensor(found.targets), tuple(found.classes))


def _file_digest(file: str) -> str:
    try:
        return hashlib.sha256(Path(file).read_bytes()).hexdigest()
    except OSError as failure:
        raise DataError(
            file, expected="a readable image file", got=str(failure), do="Replace or remove this file."
        ) from failure


def _sha256(records: Iterable[tuple[object, ...]]) -> str:
    return hashlib.sha256(json.dumps(list(records)).encode()).hexdigest()
