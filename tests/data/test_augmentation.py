import math

import pytest
import torch

from seedbed import streams
from seedbed.data.augmentation import Augmentation

STREAM, PADDING = 99, 2
# A count this many standard deviations off happens once in 10^8 for each of the 26 counts here.
SIGMAS = 6


@pytest.fixture
def pixels() -> torch.Tensor:
    generator = torch.Generator().manual_seed(6)
    return torch.randint(1, 256, (40, 3, 7, 5), generator=generator, dtype=torch.uint8)


def one_by_one(
    pixels: torch.Tensor, epoch: int, indices: torch.Tensor, padding: int, flip: bool
) -> torch.Tensor:
    """The same in plain loops: mirror, pad with black, cut out the window."""
    draws = streams.uniform(streams.example_keys(STREAM, epoch, indices), 3).tolist()
    result = torch.zeros_like(pixels)
    height, width = pixels.shape[2:]
    for place, (vertical, horizontal, mirror) in enumerate(draws):
        top = int(vertical * (2 * padding + 1)) - padding
        left = int(horizontal * (2 * padding + 1)) - padding
        for row in range(height):
            for column in range(width):
                from_row, from_column = row + top, column + left
                if 0 <= from_row < height and 0 <= from_column < width:
                    source = width - 1 - from_column if flip and mirror < 0.5 else from_column
                    result[place, :, row, column] = pixels[place, :, from_row, source]
    return result


@pytest.mark.parametrize(("padding", "flip"), [(PADDING, True), (PADDING, False), (0, True), (4, True)])
def test_whole_batches_come_out_as_images_one_by_one(pixels: torch.Tensor, padding: int, flip: bool) -> None:
    augmentation = Augmentation(crop_padding=padding, flip=flip, stream=STREAM)
    indices = torch.arange(100, 140)
    augmented = augmentation(pixels, 3, indices)
    assert augmented.dtype == torch.uint8
    assert torch.equal(augmented, one_by_one(pixels, 3, indices, padding, flip))


def test_an_images_fate_does_not_depend_on_its_batch(pixels: torch.Tensor) -> None:
    augmentation = Augmentation(crop_padding=PADDING, flip=True, stream=STREAM)
    order, indices = torch.randperm(40, generator=torch.Generator().manual_seed(1)), torch.arange(40)
    together = augmentation(pixels, 0, indices)
    shuffled = [augmentation(pixels[part], 0, indices[part]) for part in torch.split(order, 7)]
    assert torch.equal(torch.cat(shuffled), together[order])


def test_epochs_and_streams_draw_anew(pixels: torch.Tensor) -> None:
    seen = [
        Augmentation(crop_padding=PADDING, flip=True, stream=stream)(pixels, epoch, torch.arange(40))
        for stream, epoch in ((STREAM, 0), (STREAM, 1), (STREAM + 1, 0))
    ]
    assert not any(torch.equal(seen[one], seen[other]) for one, other in ((0, 1), (0, 2), (1, 2)))


def test_every_window_and_both_mirror_images_are_equally_likely() -> None:
    num_images, windows = 20_000, (2 * PADDING + 1) ** 2
    # One bright pixel in a broad black image tells where the window lies and whether it was mirrored.
    marked = torch.zeros(num_images, 1, 9, 10, dtype=torch.uint8)
    marked[:, :, 4, 2] = 255
    augmentation = Augmentation(crop_padding=PADDING, flip=True, stream=STREAM)
    _, _, rows, columns = augmentation(marked, 0, torch.arange(num_images)).nonzero().unbind(1)
    assert len(rows) == num_images
    mirrored = columns >= 5
    offsets = torch.where(mirrored, columns - 7, columns - 2)
    counts = torch.bincount((rows - 2) * 5 + offsets + PADDING, minlength=windows).tolist()
    spread = math.sqrt(num_images / windows * (1 - 1 / windows))
    assert len(counts) == windows
    assert max(abs(count - num_images / windows) for count in counts) < SIGMAS * spread
    assert abs(int(mirrored.sum()) - num_images / 2) < SIGMAS * math.sqrt(num_images / 4)


def test_an_empty_batch_stays_empty(pixels: torch.Tensor) -> None:
    augmentation = Augmentation(crop_padding=PADDING, flip=True, stream=STREAM)
    assert augmentation(pixels[:0], 0, torch.arange(0)).shape == (0, 3, 7, 5)
