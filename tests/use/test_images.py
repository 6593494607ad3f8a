"""An image file becomes what the model was trained on, or is named: nothing is changed on the way."""

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from seedbed.data.decoding import decoded
from seedbed.errors import DataError
from seedbed.use.images import Rule, pixels

GREY, COLOUR = Rule((1, 6, 5), False, 255.0), Rule((3, 6, 5), False, 255.0)
RANDOM = np.random.default_rng(5)
FLAT = RANDOM.integers(0, 256, (6, 5), np.uint8)
VIVID = RANDOM.integers(0, 256, (6, 5, 3), np.uint8)
REPEATED = np.repeat(FLAT[..., None], 3, axis=2)


def png(image: Image.Image) -> io.BytesIO:
    file = io.BytesIO()
    image.save(file, "PNG")
    file.seek(0)
    return file


def with_alpha(values: Any, alpha: int) -> Image.Image:
    image = Image.fromarray(values)
    image.putalpha(alpha)
    return image


@pytest.mark.parametrize(
    "image",
    [
        Image.fromarray(FLAT),
        Image.fromarray(REPEATED),
        with_alpha(REPEATED, 255),
        Image.fromarray(FLAT).convert("P"),
    ],
    ids=["L", "RGB", "RGBA", "P"],
)
def test_a_grey_model_takes_all_that_is_grey(image: Image.Image) -> None:
    assert torch.equal(pixels(GREY, png(image), "x"), torch.from_numpy(FLAT)[None])


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (Image.fromarray(VIVID), VIVID),
        (Image.fromarray(FLAT), REPEATED),
        (with_alpha(VIVID, 255), VIVID),
        (Image.fromarray(FLAT).convert("1", dither=Image.Dither.NONE), np.where(REPEATED > 127, 255, 0)),
    ],
    ids=["RGB", "L", "RGBA", "1"],
)
def test_a_colour_model_takes_colour_and_grey(image: Image.Image, expected: Any) -> None:
    found = pixels(COLOUR, png(image), "x")
    assert found.dtype == torch.uint8
    assert torch.equal(found, torch.from_numpy(expected.astype(np.uint8)).permute(2, 0, 1))


@pytest.mark.parametrize(
    ("rule", "image", "told"),
    [
        (
            GREY,
            Image.fromarray(VIVID),
            r"x: expected a grey image \(mode L, or channels that agree\), got mode RGB",
        ),
        (GREY, with_alpha(FLAT, 254), "x: expected an opaque image of mode L, got mode LA with transparency"),
        (COLOUR, with_alpha(VIVID, 0), "x: expected an opaque image of mode RGB, got mode RGBA with transp"),
        (
            GREY,
            Image.fromarray(FLAT.astype(np.uint16)),
            "x: expected an opaque image of mode L, got mode I;16",
        ),
        (
            GREY,
            Image.fromarray(FLAT.T.copy()),
            "x: expected 6x5 pixels, as in training, got 5x6. Resize it your",
        ),
        (
            GREY._replace(full_scale=16.0),
            Image.fromarray(np.full((6, 5), 17, np.uint8)),
            r"x: expected pixel values from 0 to 16, as the data of the run has them, got one of 17\. ",
        ),
    ],
    ids=["colour", "half transparent", "transparent", "16 bits", "size", "scale"],
)
def test_what_does_not_fit_is_named_and_not_changed(rule: Rule, image: Image.Image, told: str) -> None:
    with pytest.raises(DataError, match=told):
        pixels(rule, png(image), "x")


@pytest.mark.parametrize("content", [b"", b"hello", base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAgAAAAI")])
def test_what_is_no_image_is_named(content: bytes) -> None:
    with pytest.raises(
        DataError, match="x: expected an image file that Pillow can read to its end, got"
    ) as told:
        pixels(GREY, io.BytesIO(content), "x")
    assert "0x" not in str(told.value)


def test_of_an_image_folder_every_file_is_read_as_in_training(tmp_path: Path) -> None:
    files = []
    for place, (values, ending) in enumerate(
        [(FLAT, "png"), (VIVID, "jpg"), (VIVID.transpose(1, 0, 2), "png")]
    ):
        files.append(str(tmp_path / f"{place}.{ending}"))
        Image.fromarray(np.ascontiguousarray(values)).save(files[-1])
    (training,) = decoded(files, 4, [torch.arange(3)], num_workers=0)
    rule = Rule((3, 4, 4), True, 255.0)
    assert torch.equal(torch.stack([pixels(rule, file, file) for file in files]), training)
