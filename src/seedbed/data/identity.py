"""Identity: digests that say which data a run has seen."""

import hashlib
import json
from typing import NamedTuple

from seedbed.data.source import Part


class SplitIdentity(NamedTuple):
    """One split of a run.

    Args:
        split: train, val or test.
        num_examples: examples in the split.
        class_counts: examples of each class, in the order of the class names.
        content_digest: SHA-256 of decoded inputs, labels and class names of the whole source file.
        split_digest: SHA-256 of the split's places in that file.
    """

    split: str
    num_examples: int
    class_counts: tuple[int, ...]
    content_digest: str
    split_digest: str


def identify(split: str, part: Part, class_names: tuple[str, ...]) -> SplitIdentity:
    """The identity of one split; equal digests mean equal bytes, wherever they were read from."""
    content = hashlib.sha256(part.rows.digest.encode())
    content.update(part.labels.numpy().astype("<i8").data)
    content.update(json.dumps(class_names).encode())
    places = hashlib.sha256(part.indices.numpy().astype("<i8").data)
    return SplitIdentity(
        split,
        len(part.indices),
        part.class_counts(len(class_names)),
        content.hexdigest(),
        places.hexdigest(),
    )
