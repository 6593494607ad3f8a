"""Augmentation: random crops and mirror images of whole training batches."""

from typing import final

import torch
from torch import Tensor
from torch.nn import functional

from seedbed import streams
from seedbed.shapes import Indices, Pixels


@final
class Augmentation:
    """Zero-pad-and-crop and horizontal flip, a pure function of (stream, epoch, example index).

    The three numbers of an example (two offsets, one flip) keep their places whatever is switched on,
    so turning the crop off moves no flip.

    Args:
        crop_padding: pixels of black border before a crop to the old size, each of the
            (2 crop_padding + 1)^2 places equally likely; 0: no crop.
        flip: mirror left to right with probability one half.
        stream: seed of the augmentation stream.
    """

    def __init__(self, *, crop_padding: int, flip: bool, stream: int) -> None:
        self._padding, self._flip, self._stream = crop_padding, flip, stream

    def __call__(self, pixels: Pixels, epoch: int, indices: Indices) -> Pixels:
        """The augmented batch, same shape and type.

        Args:
            pixels: raw images, so that the border is black before any standardisation.
            epoch: 0 or more.
            indices: each image's place in its source file.
        """
        draws = streams.uniform(streams.example_keys(self._stream, epoch, indices), 3)
        if self._flip:
            mirrored = (draws[:, 2] < 0.5)[:, None, None, None]
            pixels = torch.where(mirrored, pixels.flip(-1), pixels)
        return self._crop(pixels, draws) if self._padding else pixels

    def _crop(self, pixels: Tensor, draws: Tensor) -> Tensor:
        """Picks one window an image among all windows of the padded batch, which are only a view."""
        top, left = (draws[:, :2] * (2 * self._padding + 1)).to(torch.int64).unbind(1)
        height, width = pixels.shape[2:]
        padded = functional.pad(pixels, (self._padding,) * 4)
        windows = padded.unfold(2, height, 1).unfold(3, width, 1)
        return windows[torch.arange(len(pixels), device=pixels.device), :, top, left]
