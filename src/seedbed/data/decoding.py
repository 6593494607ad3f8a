"""Decoding: image files become uint8 pixels in a few threads, in the order asked for.

Threads, because Pillow decodes without Python's lock, and because a process forked from a training
run, which has threads of its own, can hang on a lock that none of its threads holds.
"""

import sys
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from io import BytesIO
from itertools import islice
from typing import TypeVar

import numpy as np
import PIL
import torch
import torchvision
from numpy.typing import NDArray
from PIL import Image
from rich.console import Console
from rich.progress import track
from torch import Tensor
from torchvision.transforms.v2 import functional as transforms

from seedbed.data.rows import Chunk
from seedbed.errors import DataError
from seedbed.shapes import Pixels

# Another decoder may give other pixels for the same file, so it is part of what names a cache entry.
DECODER = f"seedbed 1, pillow {PIL.__version__}, torchvision {torchvision.__version__}"
Batch = TypeVar("Batch")
# Chunks that wait decoded, a thread.
NUM_AHEAD = 2


def decoded(
    files: Sequence[str], image_size: int, chunks: Sequence[Chunk], num_workers: int
) -> Iterator[Pixels]:
    """The pixels of each chunk of files, RGB, shorter side resized and centre cropped to `image_size`.

    Args:
        files: image files, in any format Pillow reads; grey ones become RGB.
        image_size: height and width of the result in pixels.
        chunks: which files make up each batch, batch by batch.
        num_workers: threads that decode; 0: this one. It changes neither pixels nor order.

    Raises:
        DataError: naming the file that cannot be decoded.
    """

    def work(chunk: Chunk) -> Pixels:
        return _pixels([files[index] for index in chunk.tolist()], image_size)

    if num_workers == 0:
        yield from map(work, chunks)
        return
    rest, waiting = iter(chunks), deque[Future[Pixels]]()
    with ThreadPoolExecutor(num_workers, thread_name_prefix="seedbed-decode") as pool:
        try:
            waiting.extend(pool.submit(work, chunk) for chunk in islice(rest, NUM_AHEAD * num_workers))
            while waiting:
                pixels = waiting.popleft().result()
                waiting.extend(pool.submit(work, chunk) for chunk in islice(rest, 1))
                yield pixels
        finally:
            pool.shutdown(cancel_futures=True)


def watched(batches: Iterator[Batch], total: int | None, meaning: str) -> Iterator[Batch]:
    """The same batches, with a progress bar on the terminal; silent where there is none."""
    console = Console(stderr=True)
    yield from track(
        batches, meaning, total, console=console, disable=not sys.stderr.isatty(), transient=True
    )


def _pixels(files: Sequence[str], image_size: int) -> Pixels:
    # Filled as Pillow has them and turned once: turning each image costs a quarter of its decoding.
    pixels = np.empty((len(files), image_size, image_size, 3), np.uint8)
    for place, file in enumerate(files):
        try:
            pixels[place] = _square(_read(file), image_size)
        except Exception as failure:
            raise DataError(
                file,
                expected="an image file that Pillow can read to its end",
                got=f"{type(failure).__name__}: {failure}",
                do="Replace or remove this file.",
            ) from failure
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous()


def decode(file: str | BytesIO, image_size: int) -> Tensor:
    """One image as `decoded` has it, of shape (3, image_size, image_size); raises what Pillow raises."""
    return torch.from_numpy(_square(_read(file), image_size)).permute(2, 0, 1)


def _read(file: str | BytesIO) -> NDArray[np.uint8]:
    with Image.open(file) as opened:
        return np.array(opened if opened.mode == "RGB" else opened.convert("RGB"))


def _square(image: NDArray[np.uint8], image_size: int) -> NDArray[np.uint8]:
    """An image of shape (row, column, 3), its shorter side resized, its centre cropped."""
    if image.shape[:2] == (image_size, image_size):
        return image
    resized = transforms.resize(torch.from_numpy(image).permute(2, 0, 1), [image_size], antialias=True)
    square: NDArray[np.uint8] = (
        transforms.center_crop(resized, [image_size, image_size]).permute(1, 2, 0).numpy()
    )
    return square
