import hashlib

import pytest
import torch

from seedbed.data.identity import identify
from seedbed.data.rows import Images
from seedbed.data.source import Part

NAMES = ("ant", "bee")


@pytest.fixture
def part() -> Part:
    generator = torch.Generator().manual_seed(8)
    pixels = torch.randint(0, 256, (6, 1, 2, 2), generator=generator, dtype=torch.uint8)
    return Part(Images(pixels), torch.tensor([0, 1, 0, 1, 1, 0]), torch.tensor([1, 3, 5]))


def test_sizes_and_class_counts_are_those_of_the_split(part: Part) -> None:
    identity = identify("val", part, NAMES)
    assert (identity.split, identity.num_examples, identity.class_counts) == ("val", 3, (1, 2))


def test_another_cut_of_the_same_file_has_the_same_content(part: Part) -> None:
    one, other = (
        identify("train", part._replace(indices=torch.tensor(places)), NAMES) for places in ([1, 3], [1, 4])
    )
    assert one.content_digest == other.content_digest
    assert one.split_digest != other.split_digest


def test_a_pixel_a_label_and_a_class_name_each_change_the_content(part: Part) -> None:
    (pixels,) = part.rows.batches([torch.arange(6)])
    pixels[0, 0, 0, 0] ^= 1  # in an example outside the split: the whole file is identified
    relabelled = part.labels.clone()
    relabelled[0] = 1
    digests = {
        identify("train", part, NAMES).content_digest,
        identify("train", part._replace(rows=Images(pixels)), NAMES).content_digest,
        identify("train", part._replace(labels=relabelled), NAMES).content_digest,
        identify("train", part, ("ant", "wasp")).content_digest,
    }
    assert len(digests) == 4


def test_the_split_digest_is_that_of_little_endian_64_bit_places(part: Part) -> None:
    places = b"".join(place.to_bytes(8, "little") for place in (1, 3, 5))
    assert identify("val", part, NAMES).split_digest == hashlib.sha256(places).hexdigest()
