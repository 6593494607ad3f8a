"""Cuts a stream of batches into chunks of one size, whatever the size of the batches."""

from typing import NamedTuple

import torch

from seedbed.shapes import Labels, LogProbabilities

# Large enough that torchmetrics' bookkeeping (0.1 to 0.5 ms a chunk) is nothing a step, small enough
# that a thousand classes fit: 8192 x 1000 float64 are 66 MB.
CHUNK_SIZE = 8192
# The label of an example that only fills up a batch.
PADDING = -1


class Chunk(NamedTuple):
    """Consecutive examples of a split, padding removed."""

    log_probabilities: LogProbabilities
    labels: Labels


class Chunks:
    """A queue of batches that is emptied in chunks.

    The cuts fall after every `CHUNK_SIZE` real examples, so that what is summed together depends on
    the examples and their order alone, never on the batch size, on padding or on an interruption.

    Args:
        num_classes: columns of the log-probabilities.
    """

    def __init__(self, num_classes: int) -> None:
        self._empty = Chunk(torch.zeros(0, num_classes), torch.zeros(0, dtype=torch.int64))
        self._waiting: list[Chunk] = []
        self._num_waiting = 0

    def add(self, log_probabilities: LogProbabilities, labels: Labels) -> bool:
        """Keeps a batch, without a copy; true once `full` has something to give."""
        self._waiting.append(Chunk(log_probabilities, labels))
        self._num_waiting += labels.shape[0]
        return self._num_waiting >= CHUNK_SIZE

    def full(self) -> list[Chunk]:
        """Takes out the chunks that are complete."""
        whole = self.rest()
        cut = len(whole.labels) // CHUNK_SIZE * CHUNK_SIZE
        # Copied, so that a remainder of a few examples does not keep a whole chunk alive.
        self.add(*(part[cut:].clone() for part in whole))
        if cut == 0:
            return []
        pieces = (torch.split(part[:cut], CHUNK_SIZE) for part in whole)
        return [Chunk(*parts) for parts in zip(*pieces, strict=True)]

    def rest(self) -> Chunk:
        """Takes out all that waits, which may be nothing: a chunk of no examples."""
        whole = self.waiting()
        self.clear()
        return whole

    def waiting(self) -> Chunk:
        """All that waits, left where it is."""
        if not self._waiting:
            return self._empty
        log_probabilities, labels = (torch.cat(parts) for parts in zip(*self._waiting, strict=True))
        real = labels != PADDING
        if bool(real.all()):
            return Chunk(log_probabilities, labels)
        return Chunk(log_probabilities[real], labels[real])

    def clear(self) -> None:
        self._waiting, self._num_waiting = [], 0

    def to(self, device: torch.device) -> None:
        """Moves all that waits to a device."""
        self._empty = Chunk(*(part.to(device) for part in self._empty))
        self._waiting = [Chunk(*(part.to(device) for part in chunk)) for chunk in self._waiting]
