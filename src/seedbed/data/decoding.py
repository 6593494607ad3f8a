"""Decoding: image files become uint8 pixels in worker processes, in the order asked for."""

import sys
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, final

import PIL
import torch
import torchvision
from rich.console import Console
from rich.progress import track
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchvision.datasets.folder import default_loader
from torchvision.transforms.v2 import functional as transforms

from seedbed.data.rows import Chunk
from seedbed.errors import DataError
from seedbed.shapes import Pixels

# Another decoder may give other pixels for the same file, so it is part of what names a cache entry.
DECODER = f"seedbed 1, pillow {PIL.__version__}, torchvision {torchvision.__version__}"


class Broken(NamedTuple):
    """What a worker sends instead of pixels; an exception would lose its fields between processes."""

    file: str
    reason: str


def decoded(
    files: Sequence[str], image_size: int, chunks: Sequence[Chunk], num_workers: int
) -> Iterator[Pixels]:
    """The pixels of each chunk of files, RGB, shorter side resized and centre cropped to `image_size`.

    Args:
        files: image files, in any format Pillow reads; grey ones become RGB.
        image_size: height and width of the result in pixels.
        chunks: which files make up each batch, batch by batch.
        num_workers: processes that decode; 0: this one. It changes neither pixels nor order.

    Raises:
        DataError: naming the file that cannot be decoded.
    """
    loader: DataLoader[Tensor | Broken] = DataLoader(
        _Files(files, image_size),
        batch_sampler=[chunk.tolist() for chunk in chunks],
        num_workers=num_workers,
        collate_fn=_as_it_comes,
        generator=torch.Generator(),  # or starting the workers would draw from torch's global one
    )
    for pixels in loader:
        if isinstance(pixels, Broken):
            raise DataError(
                pixels.file,
                expected="an image file that Pillow can read to its end",
                got=pixels.reason,
                do="Replace or remove this file.",
            )
        yield pixels


def watched(batches: Iterator[Pixels], total: int, meaning: str) -> Iterator[Pixels]:
    """The same batches, with a progress bar on the terminal; silent where there is none."""
    console = Console(stderr=True)
    yield from track(
        batches, meaning, total, console=console, disable=not sys.stderr.isatty(), transient=True
    )


@final
class _Files(Dataset[Tensor]):
    """Hands torch's workers a whole batch at a time."""

    def __init__(self, files: Sequence[str], image_size: int) -> None:
        self._files, self._image_size = files, image_size

    def __getitems__(self, indices: list[int]) -> Pixels | Broken:
        pixels = torch.empty((len(indices), 3, self._image_size, self._image_size), dtype=torch.uint8)
        for place, index in enumerate(indices):
            try:
                pixels[place] = _decode(self._files[index], self._image_size)
            except Exception as failure:  # noqa: BLE001 - decoders raise many kinds; all are reported
                return Broken(self._files[index], f"{type(failure).__name__}: {failure}")
        return pixels


def _decode(file: str, image_size: int) -> Tensor:
    image: Tensor = transforms.pil_to_tensor(default_loader(file))
    if image.shape[1:] != (image_size, image_size):
        image = transforms.resize(image, [image_size], antialias=True)
        image = transforms.center_crop(image, [image_size, image_size])
    return image


def _as_it_comes(batch: Any) -> Any:
    """The batch is one tensor already; torch's collation would copy it."""
    return batch
