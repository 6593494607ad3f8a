"""Keys that a source hands on as they come to the class it extends, which says what they mean."""

from typing import TypedDict


class DataKeys(TypedDict):
    """What `DataModule` takes."""

    batch_size: int | None
    val_fraction: float
    num_folds: int | None
    fold: int | None
    num_inner_folds: int | None
    inner_fold: int | None
    standardize: bool


class ImageKeys(DataKeys):
    """What `ImageModule` takes."""

    crop_padding: int
    flip: bool
    centred: bool
