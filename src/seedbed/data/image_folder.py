"""Any folder of class folders of images."""

from collections.abc import Hashable
from pathlib import Path
from typing import Unpack, final

from seedbed.data.cut import TEST_CUT_SEED, check_fraction, stratified
from seedbed.data.image_cache import ImageCache
from seedbed.data.image_module import ImageModule
from seedbed.data.keys import ImageKeys
from seedbed.data.listing import Listing, listed
from seedbed.data.rows import Rows
from seedbed.data.source import Part, Source, whole
from seedbed.data.streaming import StreamedImages
from seedbed.errors import ConfigError, DataError


@final
class ImageFolder(ImageModule):
    """Images as `root/<class>/*`, or as `root/train/<class>/*` with `root/test/<class>/*`.

    Images become RGB, their shorter side is resized to `image_size` and the centre is cropped.
    Without a `test` folder the test split is cut stratified, the same for every seed.

    Args:
        root: the folder.
        image_size: height and width in pixels after decoding, 1 or more.
        test_fraction: share of each class kept for test where there is no `test` folder, in [0, 1).
        memory_limit_gib: decoded pixels above this many GiB are streamed from their files, 0 or more.
        num_workers: threads that decode; 0: the run's own. It changes no pixel and no order.
        cache_dir: folder that keeps decoded images between runs.
        common: the keys of `ImageModule`.

    Raises:
        ConfigError: naming the key that is out of its range.
    """

    def __init__(
        self,
        *,
        root: str,
        image_size: int,
        test_fraction: float,
        memory_limit_gib: float,
        num_workers: int,
        cache_dir: str,
        **common: Unpack[ImageKeys],
    ) -> None:
        super().__init__(**common)
        check_fraction("data.test_fraction", test_fraction)
        _check_at_least("data.image_size", image_size, 1)
        _check_at_least("data.memory_limit_gib", memory_limit_gib, 0)
        _check_at_least("data.num_workers", num_workers, 0)
        self._root, self._cache_dir = Path(root).expanduser().resolve(), Path(cache_dir).expanduser()
        self._image_size, self._test_fraction = image_size, test_fraction
        self._memory_limit_gib, self._num_workers = memory_limit_gib, num_workers
        self.source = f"image folder {self._root}"

    def files(self) -> dict[str, Path]:
        paths = [Path(file) for listing in self._listed() for file in listing.files]
        return {str(path.relative_to(self._root)): path for path in paths}

    def _locate(self) -> Hashable:
        self._listings = self._listed()
        arguments = (self._image_size, self._test_fraction, self._memory_limit_gib, self._num_workers)
        return (self._root, arguments, tuple(listing.fingerprint for listing in self._listings))

    def _listed(self) -> tuple[Listing, ...]:
        folders = [self._root / "train", self._root / "test"]
        if not all(folder.is_dir() for folder in folders):
            return (listed(self._root),)
        train, test = map(listed, folders)
        if train.class_names != test.class_names:
            differing = sorted(set(train.class_names) ^ set(test.class_names))
            raise DataError(
                f"data.root ({self._root})",
                expected="the same class folders in train and test",
                got="only one of them with " + ", ".join(differing),
                do="Add the missing folders or remove the others.",
            )
        return train, test

    def _read(self) -> Source:
        num_images = sum(len(listing.files) for listing in self._listings)
        streams = num_images * 3 * self._image_size**2 > self._memory_limit_gib * 2**30
        train, *rest = (whole(self._rows(listing, streams), listing.labels) for listing in self._listings)
        return Source(*self._split(train, *rest), self._listings[0].class_names, full_scale=255.0)

    def _split(self, train: Part, test: Part | None = None) -> tuple[Part, Part | None]:
        if test is not None:
            return train, test
        names = self._listings[0].class_names
        key = "data.test_fraction"
        return stratified(train, self._test_fraction, TEST_CUT_SEED, key=key, class_names=names)

    def _rows(self, listing: Listing, streams: bool) -> Rows:
        cache = ImageCache(self._cache_dir, listing, self._image_size, self._num_workers)
        if not streams:
            return cache.pixels()
        return StreamedImages(listing.files, self._image_size, self._num_workers, cache.survey())


def _check_at_least(key: str, value: int | float, least: int) -> None:
    if value < least:
        raise ConfigError(
            key, expected=f"{least} or more", got=f"{value:g}", do="Correct the key, or leave it out."
        )
