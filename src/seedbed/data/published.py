"""Published image sets, read and fetched by torchvision's own classes."""

from collections.abc import Hashable
from pathlib import Path
from typing import Any, Unpack, final

import torch
from torchvision import datasets

from seedbed.data.image_module import ImageModule
from seedbed.data.keys import ImageKeys
from seedbed.data.published_files import Reader, check_digests, check_idx, expected_files, obtain
from seedbed.data.rows import Images
from seedbed.data.source import Part, Source, whole
from seedbed.errors import ConfigError
from seedbed.shapes import Pixels

DATASETS = ("MNIST", "FashionMNIST", "CIFAR10", "CIFAR100")


@final
class Published(ImageModule):
    """MNIST, Fashion-MNIST, CIFAR-10 or CIFAR-100, with the publisher's test split.

    Args:
        dataset: MNIST, FashionMNIST, CIFAR10 or CIFAR100: the torchvision class that reads the files.
        root: folder that holds the files in torchvision's layout, such as `MNIST/raw`.
        download: fetch missing files from the publisher.
        common: the keys of `ImageModule`.

    Raises:
        ConfigError: for another data set, or a key out of its range.
    """

    def __init__(
        self,
        *,
        dataset: str,
        root: str,
        download: bool,
        **common: Unpack[ImageKeys],
    ) -> None:
        super().__init__(**common)
        if dataset not in DATASETS:
            raise ConfigError(
                "data.dataset",
                expected="one of " + ", ".join(DATASETS),
                got=repr(dataset),
                do="For images of your own use data=image_folder.",
            )
        self._reader: Reader = getattr(datasets, dataset)
        self._root, self._download = Path(root).expanduser().resolve(), download
        self.source = f"torchvision {dataset} in {self._root}"

    def files(self) -> dict[str, Path]:
        obtain(self._reader, self._root, download=False)
        return {str(file.relative_to(self._root)): file for file in expected_files(self._reader, self._root)}

    def _locate(self) -> Hashable:
        obtain(self._reader, self._root, download=self._download)
        stats = [(file, file.stat()) for file in expected_files(self._reader, self._root)]
        return tuple((file, stat.st_size, stat.st_mtime_ns) for file, stat in stats)

    def _read(self) -> Source:
        for file, digest in expected_files(self._reader, self._root).items():
            if digest is None:  # torchvision checks the others when it opens them
                check_idx(file)
        try:
            train, test = (self._reader(self._root, train=train) for train in (True, False))
        except RuntimeError:
            check_digests(self._reader, self._root)
            raise
        return Source(_part(train), _part(test), tuple(train.classes), full_scale=255.0)


def _part(split: Any) -> Part:
    return whole(Images(_pixels(split.data)), torch.as_tensor(split.targets, dtype=torch.int64))


def _pixels(data: Any) -> Pixels:
    """Adds the channel axis of grey images, or puts it before height and width, where it lies in the file."""
    if isinstance(data, torch.Tensor):
        return data.unsqueeze(1)
    return torch.from_numpy(data).permute(0, 3, 1, 2).contiguous()
