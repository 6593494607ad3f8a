"""One image file to the raw input of a model, by the rule of the data that the model was trained on."""

from io import BytesIO
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from seedbed.data.decoding import decode
from seedbed.errors import DataError

# Of eight bits a channel, and become grey or RGB without a loss.
MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA")


class Rule(NamedTuple):
    """How files become raw inputs.

    Args:
        shape: (channels, height, width) of a raw input; 1 or 3 channels.
        resizes: whether any image is made RGB, resized and cropped, as `data=image_folder` does; else it
            must have the size, and the colours, of the data.
        full_scale: largest value that the data has: 255, or 16 for scikit-learn's digits.
    """

    shape: tuple[int, ...]
    resizes: bool
    full_scale: float

    def __str__(self) -> str:
        channels, height, width = self.shape
        if self.resizes:
            return f"images of any size and mode, resized and cropped to {height}x{width} RGB as in training"
        kind = "grey" if channels == 1 else "RGB"
        return f"{kind} images of {height}x{width} pixels with values from 0 to {self.full_scale:g}"


def pixels(rule: Rule, file: str | BytesIO, name: str) -> Tensor:
    """The raw input, uint8 of the rule's shape.

    Without resizing, a grey model takes grey images and colour files whose channels agree; an RGB model
    takes both grey and colour ones. Transparency is refused: what lies below it is not in the file.

    Args:
        rule: of the model's data.
        file: path, or the bytes of a file.
        name: for what is said of it.

    Raises:
        DataError: naming what does not fit, or cannot be read.
    """
    try:
        if rule.resizes:
            return decode(file, rule.shape[1])
        with Image.open(file) as opened:
            opened.load()
            found = _channels(rule, opened, name)
    except DataError:
        raise
    except Exception as failure:  # every decoder of Pillow has errors of its own
        raise DataError(
            name,
            expected="an image file that Pillow can read to its end",
            got=_told(failure),
            do="Replace this file.",
        ) from failure
    return torch.from_numpy(found).permute(2, 0, 1).contiguous()


def _told(failure: Exception) -> str:
    """The error, without the address in memory that Pillow adds to what is no file."""
    words = str(failure).partition(" <_io")[0]
    return f"{type(failure).__name__}: {words}"


def _channels(rule: Rule, image: Image.Image, name: str) -> NDArray[np.uint8]:
    channels, height, width = rule.shape
    if image.size != (width, height):
        raise DataError(
            name,
            expected=f"{height}x{width} pixels, as in training",
            got=f"{image.height}x{image.width}",
            do="Resize it yourself: nothing is resized that was not resized in training.",
        )
    if image.mode not in MODES or _is_transparent(image):
        got = f"mode {image.mode}" + (" with transparency" if image.mode in MODES else "")
        raise _mode(name, f"an opaque image of mode {'L' if channels == 1 else 'RGB'}", got)
    found: NDArray[np.uint8] = np.array(image.convert("RGB"))
    if channels == 1:
        if (found != found[..., :1]).any():
            raise _mode(name, "a grey image (mode L, or channels that agree)", f"mode {image.mode} in colour")
        found = found[..., :1]
    _check_scale(rule, int(found.max()), name)
    return found


def _is_transparent(image: Image.Image) -> bool:
    if not image.has_transparency_data:
        return False
    lowest: Any = image.convert("RGBA").getchannel("A").getextrema()[0]
    return bool(lowest < 255)


def _mode(name: str, expected: str, got: str) -> DataError:
    return DataError(name, expected=expected, got=got, do="Convert it yourself: nothing is recoloured here.")


def _check_scale(rule: Rule, largest: int, name: str) -> None:
    if largest > rule.full_scale:
        full = f"{rule.full_scale:g}"
        raise DataError(
            name,
            expected=f"pixel values from 0 to {full}, as the data of the run has them",
            got=f"one of {largest}",
            do=f"Rescale it yourself: value * {full} / 255 for an ordinary image.",
        )
