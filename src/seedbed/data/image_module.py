"""What all image sources share: crops and mirror images of training batches, centred pixels."""

from typing import Unpack

from seedbed.data.augmentation import Augmentation
from seedbed.data.keys import DataKeys
from seedbed.data.module import DataModule
from seedbed.data.preprocessing import Preprocessing, fitted
from seedbed.data.source import Part
from seedbed.errors import ConfigError


class ImageModule(DataModule):
    """A source of images.

    Args:
        crop_padding: pixels of zero padding before a random crop to the old size; 0: no crop.
        flip: mirror each training image left to right with probability one half.
        centred: subtract the mean of each pixel over the training split. To a linear model with a free
            bias that is the same problem, better conditioned: L-BFGS needs about half the evaluations.
        common: the keys of `DataModule`.

    Raises:
        ConfigError: naming the key that is out of its range.
    """

    def __init__(
        self, *, crop_padding: int, flip: bool, centred: bool = False, **common: Unpack[DataKeys]
    ) -> None:
        super().__init__(**common)
        self._crop_padding, self._flip, self._centred = crop_padding, flip, centred
        self._check_padding("0 or more", crop_padding >= 0)

    def _fitted(self, train: Part, full_scale: float) -> Preprocessing:
        return fitted(train, full_scale=full_scale, standardize=self._standardize, centred=self._centred)

    def _augmentation(self, stream: int, shape: tuple[int, ...]) -> Augmentation | None:
        side = min(shape[1:])
        self._check_padding(f"less than the {side} pixels of a side", self._crop_padding < side)
        if not (self._crop_padding or self._flip):
            return None
        return Augmentation(crop_padding=self._crop_padding, flip=self._flip, stream=stream)

    def _check_padding(self, expected: str, fits: bool) -> None:
        if not fits:
            raise ConfigError(
                "data.crop_padding",
                expected=expected,
                got=str(self._crop_padding),
                do="An eighth of the side is common; 0 switches the crop off.",
            )
