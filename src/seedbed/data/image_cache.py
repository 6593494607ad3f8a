"""The cache of decoded images on disk: what was decoded once is not decoded again.

`<fingerprint>.json` names the content of a folder that nobody has touched since; `<content>.npy` holds
its pixels; `<content>.moments.npy` and `<content>.json` hold the survey of images too many to keep.
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import final

import numpy as np
import torch

from seedbed.data.cache_files import locked, open_array, read_note, renamed, write_note
from seedbed.data.decoding import DECODER, decoded, watched
from seedbed.data.listing import Listing
from seedbed.data.rows import Images, chunk_size, moments, start_digest
from seedbed.data.streaming import Survey
from seedbed.shapes import Pixels


@final
class ImageCache:
    """Decoded forms of one listing.

    Args:
        folder: where the cache lies; made if missing.
        listing: the image files.
        image_size: height and width in pixels after decoding.
        num_workers: threads that decode; 0: this one.
    """

    def __init__(self, folder: Path, listing: Listing, image_size: int, num_workers: int) -> None:
        self._folder, self._listing, self._num_workers = folder, listing, num_workers
        self._num_images, self._shape = len(listing.files), (3, image_size, image_size)

    def pixels(self) -> Images:
        """All images as one tensor, mapped from the cache file and shared between processes.

        Raises:
            DataError: naming an image that cannot be decoded, or a cache folder that cannot be written.
        """
        with locked(self._folder, self._listing.folder, "images"):
            path = self._folder / f"{self._content()}.npy"
            shape = (self._num_images, *self._shape)
            if (array := open_array(path, shape)) is None:
                self._decode_to(path, shape)
                array = open_array(path, shape)
        return Images(torch.from_numpy(array))

    def survey(self) -> Survey:
        """Statistics and digest of all images, from one pass over them.

        Raises:
            DataError: as `pixels`.
        """
        with locked(self._folder, self._listing.folder, "images"):
            content = self._content()
            path, note = self._folder / f"{content}.moments.npy", self._folder / f"{content}.json"
            array, digest = open_array(path, (self._num_images, 3, 2)), read_note(note, "digest")
            if array is not None and digest is not None:
                return Survey(torch.from_numpy(array), digest)
            survey = self._surveyed()
            with renamed(path) as file:
                np.save(file, survey.moments.numpy())
            write_note(note, digest=survey.digest)
            return survey

    def _content(self) -> str:
        """Names the decoded pixels; known at once where the folder is as it was."""
        note = self._folder / f"{self._named(self._listing.fingerprint)}.json"
        if (content := read_note(note, "content")) is None:
            content = self._named(self._listing.content())
            write_note(note, content=content)
        return content

    def _named(self, digest: str) -> str:
        return hashlib.sha256(json.dumps([digest, self._shape, DECODER]).encode()).hexdigest()

    def _decode_to(self, path: Path, shape: tuple[int, ...]) -> None:
        header = {"descr": "|u1", "fortran_order": False, "shape": shape}
        with renamed(path) as file:
            np.lib.format.write_array_header_1_0(file, header)
            for batch in self._batches():
                file.write(batch.numpy().data)

    def _surveyed(self) -> Survey:
        parts, digest = [], start_digest(self._num_images, self._shape, torch.uint8)
        for batch in self._batches():
            parts.append(moments(batch))
            digest.update(batch.numpy().reshape(-1).data)
        return Survey(torch.cat(parts), digest.hexdigest())

    def _batches(self) -> Iterator[Pixels]:
        chunks = torch.split(torch.arange(self._num_images), chunk_size(self._shape))
        batches = decoded(self._listing.files, self._shape[1], chunks, self._num_workers)
        return watched(batches, len(chunks), f"Decoding {self._num_images:,} images")
