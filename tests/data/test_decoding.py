import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from seedbed.data.decoding import decoded, watched
from seedbed.data.listing import listed
from seedbed.errors import DataError
from tests.data.tiny import write_folder

# Pillow's and torch's antialiased bilinear filters round their weights differently.
GREY_LEVELS = 2


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, ...]:
    return listed(write_folder(tmp_path / "photos")).files


def save(file: Path, pixels: object) -> str:
    Image.fromarray(np.asarray(pixels, np.uint8)).save(file)
    return str(file)


def decode(file: str, image_size: int) -> torch.Tensor:
    (batch,) = decoded([file], image_size, [torch.tensor([0])], 0)
    return batch[0]


def test_an_image_of_the_right_size_keeps_every_pixel(tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (8, 8, 3), np.uint8)
    file = save(tmp_path / "a.png", pixels)
    assert np.array_equal(decode(file, 8).permute(1, 2, 0).numpy(), pixels)


def test_a_grey_image_becomes_three_equal_channels(tmp_path: Path) -> None:
    pixels = np.random.default_rng(2).integers(0, 256, (8, 8), np.uint8)
    image = decode(save(tmp_path / "a.png", pixels), 8)
    assert all(np.array_equal(channel.numpy(), pixels) for channel in image)


@pytest.mark.parametrize(("height", "width"), [(24, 40), (40, 24), (5, 5)])
def test_the_shorter_side_is_resized_and_the_centre_cropped(tmp_path: Path, height: int, width: int) -> None:
    ramp = np.add.outer(np.arange(height) * 3, np.arange(width) * 2)[..., None].repeat(3, axis=2)
    image = decode(save(tmp_path / "a.png", ramp), 12)
    scale = 12 / min(height, width)
    wide, high = round(width * scale), round(height * scale)
    whole = Image.fromarray(ramp.astype(np.uint8)).resize((wide, high), Image.Resampling.BILINEAR)
    left, top = (wide - 12) // 2, (high - 12) // 2
    expected = np.asarray(whole)[top : top + 12, left : left + 12].astype(int)
    assert np.abs(image.permute(1, 2, 0).numpy().astype(int) - expected).max() <= GREY_LEVELS


@pytest.mark.parametrize("num_workers", [1, 2, 3])
def test_workers_change_neither_pixels_nor_order(files: tuple[str, ...], num_workers: int) -> None:
    chunks = [
        torch.tensor([5, 0, 41]),
        torch.tensor([7]),
        torch.tensor([], dtype=torch.int64),
        torch.arange(60),
    ]
    alone = list(decoded(files, 6, chunks, 0))
    together = list(decoded(files, 6, chunks, num_workers))
    assert [len(batch) for batch in alone] == [3, 1, 0, 60]
    assert all(torch.equal(one, other) for one, other in zip(alone, together, strict=True))


def decoding_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("seedbed-decode")]


def test_threads_read_a_little_ahead_and_end_with_whoever_reads(files: tuple[str, ...]) -> None:
    read: list[int] = []

    class Counted(Sequence[torch.Tensor]):
        def __getitem__(self, index: Any) -> Any:
            if index >= 60:
                raise IndexError
            read.append(index)
            return torch.tensor([index])

        def __len__(self) -> int:
            return 60

    batches = decoded(files, 6, Counted(), 2)
    next(batches)
    assert read[-1] == 4
    assert decoding_threads()
    batches.close()  # type: ignore[attr-defined]
    assert not decoding_threads()


@pytest.mark.parametrize("num_workers", [0, 2])
def test_decoding_leaves_torchs_own_random_state_alone(files: tuple[str, ...], num_workers: int) -> None:
    before = torch.get_rng_state()
    list(decoded(files, 8, [torch.arange(4)], num_workers))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("num_workers", [0, 1])
@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_a_truncated_image_is_named(files: tuple[str, ...], suffix: str, num_workers: int) -> None:
    broken = next(file for file in files if file.endswith(suffix))
    os.truncate(broken, Path(broken).stat().st_size // 2)
    with pytest.raises(DataError) as caught:
        list(decoded(files, 8, torch.split(torch.arange(60), 16), num_workers))
    assert str(caught.value).startswith(
        f"{broken}: expected an image file that Pillow can read to its end, got OSError: "
    )
    assert str(caught.value).endswith("Replace or remove this file.")


def test_a_file_that_is_no_image_is_named(files: tuple[str, ...]) -> None:
    Path(files[9]).write_text("not an image")
    with pytest.raises(DataError) as caught:
        list(decoded(files, 8, [torch.arange(60)], 0))
    assert caught.value.what == files[9]
    assert caught.value.got.startswith("UnidentifiedImageError: cannot identify image file")


@pytest.mark.parametrize("terminal", [True, False])
def test_progress_shows_on_a_terminal_alone(
    terminal: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal, raising=False)
    batches = [torch.zeros(1, 3, 2, 2, dtype=torch.uint8)] * 3
    passed = list(watched(iter(batches), 3, "Decoding 3 images"))
    assert all(one is other for one, other in zip(passed, batches, strict=True))
    out, err = capsys.readouterr()
    assert out == ""
    assert ("Decoding 3 images" in err) is terminal
