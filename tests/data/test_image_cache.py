import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from seedbed.data import image_cache, listing
from seedbed.data.decoding import decoded
from seedbed.data.image_cache import ImageCache
from seedbed.data.listing import listed
from seedbed.data.rows import Images, moments
from seedbed.errors import DataError
from tests.data.tiny import write_folder


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "photos")


@pytest.fixture
def decodes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows by one whenever images are decoded."""
    counts: list[int] = []

    def counting(files: Any, *rest: Any) -> Iterator[Any]:
        counts.append(len(files))
        return decoded(files, *rest)

    monkeypatch.setattr(image_cache, "decoded", counting)
    return counts


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Grows by one whenever the bytes of an image file are read for their digest."""
    files: list[str] = []
    digest = listing._file_digest

    def counting(file: str) -> str:
        files.append(file)
        return digest(file)

    monkeypatch.setattr(listing, "_file_digest", counting)
    return files


def cache(photos: Path, image_size: int = 8) -> ImageCache:
    return ImageCache(photos.parent / "cache", listed(photos), image_size, 0)


def test_the_second_start_neither_decodes_nor_reads_the_files(
    photos: Path, decodes: list[int], hashed: list[str]
) -> None:
    first = cache(photos).pixels()
    assert (decodes, len(hashed)) == ([60], 60)
    second = cache(photos).pixels()
    assert (decodes, len(hashed)) == ([60], 60)
    assert torch.equal(second.pixels, first.pixels)


def test_a_touched_or_copied_folder_is_recognised_by_its_content(
    photos: Path, decodes: list[int], hashed: list[str]
) -> None:
    first = cache(photos).pixels()
    os.utime(photos / "cat" / "00.png", ns=(0, 0))
    assert torch.equal(cache(photos).pixels().pixels, first.pixels)
    shutil.copytree(photos, photos.with_name("copy"))
    assert torch.equal(cache(photos.with_name("copy")).pixels().pixels, first.pixels)
    assert (decodes, len(hashed)) == ([60], 3 * 60)


def test_a_changed_image_is_decoded_even_with_its_old_size_and_time(photos: Path, decodes: list[int]) -> None:
    file = photos / "cat" / "00.bmp"
    Image.new("RGB", (8, 8), (1, 2, 3)).save(file)
    os.utime(file, ns=(10**18, 10**18))
    cache(photos).pixels()
    size = file.stat().st_size
    Image.new("RGB", (8, 8), (9, 8, 7)).save(file)
    os.utime(file, ns=(10**18, 10**18))
    assert (file.stat().st_size, file.stat().st_mtime_ns) == (size, 10**18)
    place = listed(photos).files.index(str(file))
    assert cache(photos).pixels().pixels[place, :, 0, 0].tolist() == [9, 8, 7]
    assert len(decodes) == 2


def test_each_size_and_each_decoder_has_its_own_entry(
    photos: Path, decodes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cache(photos, 8).pixels().shape == (3, 8, 8)
    assert cache(photos, 6).pixels().shape == (3, 6, 6)
    assert cache(photos, 8).pixels().shape == (3, 8, 8)
    assert len(decodes) == 2
    monkeypatch.setattr(image_cache, "DECODER", "another")
    cache(photos, 8).pixels()
    assert len(decodes) == 3


@pytest.mark.parametrize("left", [0, 50, 200, -1])
def test_a_truncated_cache_is_made_again(photos: Path, left: int, decodes: list[int]) -> None:
    whole = cache(photos).pixels().pixels.clone()
    (entry,) = (photos.parent / "cache").glob("*.npy")
    os.truncate(entry, left if left >= 0 else entry.stat().st_size - 1)
    assert torch.equal(cache(photos).pixels().pixels, whole)
    assert len(decodes) == 2


@pytest.mark.parametrize("text", ["", '{"content": "0', "{}", "[]", '{"content": 3}'])
def test_a_broken_note_is_made_again(photos: Path, text: str, decodes: list[int], hashed: list[str]) -> None:
    cache(photos).pixels()
    (note,) = (photos.parent / "cache").glob("*.json")
    whole = note.read_text()
    note.write_text(text)
    cache(photos).pixels()
    assert (decodes, len(hashed)) == ([60], 120)
    assert note.read_text() == whole


def test_a_failed_start_leaves_nothing_that_looks_whole(photos: Path) -> None:
    broken = photos / "owl" / "19.png"
    good = broken.read_bytes()
    broken.write_bytes(good[: len(good) // 2])
    with pytest.raises(DataError, match=r"19\.png: expected an image file that Pillow can read"):
        cache(photos).pixels()
    assert not [file for file in (photos.parent / "cache").iterdir() if ".npy" in file.name]
    broken.write_bytes(good)
    assert len(cache(photos).pixels()) == 60


def test_of_many_starts_at_once_one_decodes_and_all_read_the_same(photos: Path, decodes: list[int]) -> None:
    found: list[Images] = []
    threads = [threading.Thread(target=lambda: found.append(cache(photos).pixels())) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert decodes == [60]
    assert len(found) == 6
    assert len({images.digest for images in found}) == 1


def test_pixels_in_use_survive_an_entry_made_again(photos: Path) -> None:
    held = cache(photos).pixels()
    before = held.pixels.clone()
    (entry,) = (photos.parent / "cache").glob("*.npy")
    entry.unlink()
    cache(photos).pixels()
    assert torch.equal(held.pixels, before)


def test_what_is_written_to_the_pixels_stays_in_the_process(photos: Path) -> None:
    images = cache(photos).pixels()
    kept = images.pixels[0].clone()
    images.pixels[0] = 0
    assert torch.equal(cache(photos).pixels().pixels[0], kept)


def test_a_survey_says_what_the_pixels_say_and_is_taken_once(photos: Path, decodes: list[int]) -> None:
    images = cache(photos).pixels()
    for _ in range(2):
        survey = cache(photos).survey()
        assert torch.equal(survey.moments, moments(images.pixels))
        assert survey.digest == images.digest
    assert len(decodes) == 2


@pytest.mark.parametrize("suffix", [".moments.npy", ".json"])
def test_a_truncated_survey_is_taken_again(photos: Path, suffix: str, decodes: list[int]) -> None:
    whole = cache(photos).survey()
    (moments_file,) = (photos.parent / "cache").glob("*.moments.npy")
    content = moments_file.name.removesuffix(".moments.npy")
    os.truncate(moments_file.with_name(content + suffix), 20)
    again = cache(photos).survey()
    assert torch.equal(again.moments, whole.moments)
    assert again.digest == whole.digest
    assert len(decodes) == 2


def test_a_cache_folder_that_cannot_be_written_is_named(photos: Path) -> None:
    (photos.parent / "file").touch()
    folder = photos.parent / "file" / "cache"
    with pytest.raises(DataError) as caught:
        ImageCache(folder, listed(photos), 8, 0).pixels()
    assert str(caught.value) == (
        f"data.cache_dir ({folder}): expected a folder with room to write decoded images in, "
        f"got [Errno 20] Not a directory: '{folder}'. "
        "Set data.cache_dir to another folder, or free some space."
    )


def test_an_image_that_vanished_is_named(photos: Path) -> None:
    images = listed(photos)
    assert images.fingerprint
    Path(images.files[3]).unlink()
    with pytest.raises(DataError) as caught:
        ImageCache(photos.parent / "cache", images, 8, 0).pixels()
    assert str(caught.value) == (
        f"{images.files[3]}: expected a readable image file, "
        f"got [Errno 2] No such file or directory: '{images.files[3]}'. Replace or remove this file."
    )
