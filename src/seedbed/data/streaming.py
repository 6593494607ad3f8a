"""Images too many to hold: decoded each time they are asked for."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, final

import torch

from seedbed.data.decoding import decoded
from seedbed.data.rows import Chunk, Moments, Raw, Rows, Statistic, channel_statistics
from seedbed.shapes import Indices


class Survey(NamedTuple):
    """What one pass over all images tells: the statistics of any cut of them, and their digest."""

    moments: Moments
    digest: str


@final
class StreamedImages(Rows):
    """Images that stay in their files; they give what `Images` of the same files would give.

    Args:
        files: one image file an example.
        image_size: height and width in pixels after decoding.
        num_workers: threads that decode; 0: the calling one.
        survey: the result of one pass over these files.
        device: where batches are handed out.
    """

    in_memory = False

    def __init__(
        self,
        files: Sequence[str],
        image_size: int,
        num_workers: int,
        survey: Survey,
        device: torch.device = torch.device("cpu"),  # noqa: B008 - immutable
    ) -> None:
        super().__init__((3, image_size, image_size))
        self._files, self._num_workers = files, num_workers
        self._survey, self._device = survey, device

    def __len__(self) -> int:
        return len(self._files)

    def batches(self, chunks: Sequence[Chunk]) -> Iterator[Raw]:
        for pixels in decoded(self._files, self.shape[1], chunks, self._num_workers):
            yield pixels.to(self._device)

    def mean_and_sd(self, indices: Indices) -> tuple[Statistic, Statistic]:
        return channel_statistics(self._survey.moments, indices, self.shape)

    @property
    def digest(self) -> str:
        return self._survey.digest

    def to(self, device: torch.device) -> "StreamedImages":
        return StreamedImages(self._files, self.shape[1], self._num_workers, self._survey, device)
