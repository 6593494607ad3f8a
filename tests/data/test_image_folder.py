from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from seedbed.data import source
from seedbed.data.image_folder import ImageFolder
from seedbed.errors import ConfigError, DataError
from seedbed.shapes import Batch, Facts
from tests.data.tiny import STREAMS, image_folder, reads_of, write_folder

AUGMENTED: dict[str, Any] = {"crop_padding": 2, "flip": True, "standardize": True}


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "photos")


def setup_error(root: Path, **changes: Any) -> str:
    with pytest.raises(DataError) as caught:
        image_folder(root, **changes).setup(STREAMS)
    return str(caught.value)


def everything(data: ImageFolder) -> list[Batch]:
    """Two epochs of training, then validation and test."""
    train, batches = data.train_dataloader(), []
    for epoch in (0, 1):
        train.sampler.set_epoch(epoch)
        batches += list(train)
    for loader in (data.val_dataloader(), data.test_dataloader()):
        assert loader is not None
        batches += list(loader)
    return batches


@pytest.mark.filterwarnings("ignore:This DataLoader will create:UserWarning")
@pytest.mark.parametrize("num_workers", [0, 1, 2])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_streaming_changes_no_bit_of_any_batch(photos: Path, num_workers: int, dtype: torch.dtype) -> None:
    held = image_folder(photos, **AUGMENTED)
    streamed = image_folder(photos, **AUGMENTED, memory_limit_gib=0.0, num_workers=num_workers)
    for data in (held, streamed):
        data.setup(STREAMS, dtype=dtype)
    for one, other in zip(everything(held), everything(streamed), strict=True):
        assert all(torch.equal(part, same) for part, same in zip(one[:3], other[:3], strict=True))
    assert held.identity() == streamed.identity()


def test_the_memory_limit_counts_decoded_bytes(photos: Path) -> None:
    decoded_bytes = 60 * 3 * 8 * 8
    for limit, in_memory in ((decoded_bytes, True), (decoded_bytes - 1, False)):
        data = image_folder(photos, memory_limit_gib=limit / 2**30)
        data.setup(STREAMS)
        assert data._held["train"].rows.in_memory is in_memory


def test_a_stream_can_begin_at_any_batch(photos: Path) -> None:
    data = image_folder(photos, **AUGMENTED, memory_limit_gib=0.0, num_workers=1)
    data.setup(STREAMS)
    loader = data.train_dataloader()
    whole = list(loader)
    loader.start_at(2)
    for one, other in zip(list(loader), whole[2:], strict=True):
        assert torch.equal(one.inputs, other.inputs)


def test_classes_are_the_folders_in_alphabetical_order(photos: Path) -> None:
    data = image_folder(photos)
    data.setup(STREAMS)
    assert data.facts == Facts((3, 8, 8), 3, ("cat", "dog", "owl"))
    assert data.source == f"image folder {photos}"


def test_without_a_test_folder_each_class_gives_its_share(photos: Path) -> None:
    data = image_folder(photos)
    data.setup(STREAMS)
    counts = {split.split: split.class_counts for split in data.identity()}
    assert counts == {"train": (12, 12, 12), "val": (4, 4, 4), "test": (4, 4, 4)}


def test_a_test_folder_is_the_test_split(tmp_path: Path) -> None:
    write_folder(tmp_path / "photos" / "train")
    write_folder(tmp_path / "photos" / "test", each=3)
    data = image_folder(tmp_path / "photos")
    data.setup(STREAMS)
    counts = {split.split: split.class_counts for split in data.identity()}
    assert counts == {"train": (15, 15, 15), "val": (5, 5, 5), "test": (3, 3, 3)}
    train, _, test = data.identity()
    assert train.content_digest != test.content_digest


def test_train_and_test_must_have_the_same_classes(tmp_path: Path) -> None:
    root = tmp_path / "photos"
    write_folder(root / "train", each=3)
    write_folder(root / "test", classes=("cat", "dog", "emu"), each=3)
    assert setup_error(root) == (
        f"data.root ({root}): expected the same class folders in train and test, "
        "got only one of them with emu, owl. Add the missing folders or remove the others."
    )


def test_an_empty_class_folder_is_named(photos: Path) -> None:
    (photos / "yak").mkdir()
    message = setup_error(photos)
    assert message.startswith(
        f"data.root ({photos}): expected a folder with one folder of images a class, "
        "got Found no valid file for the classes yak."
    )
    assert message.endswith("Set data.root to such a folder; remove or fill empty class folders.")


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    root = tmp_path / "nowhere"
    assert f"got [Errno 2] No such file or directory: '{root}'" in setup_error(root)


def test_a_folder_without_class_folders_is_refused(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    assert "Couldn't find any class folder" in setup_error(tmp_path / "photos")


def test_one_class_folder_is_not_enough(tmp_path: Path) -> None:
    write_folder(tmp_path / "photos", classes=("cat",))
    assert "got only class cat" in setup_error(tmp_path / "photos")


def test_a_class_too_rare_to_be_cut_is_named(photos: Path) -> None:
    (photos / "yak").mkdir()
    Image.new("RGB", (8, 8)).save(photos / "yak" / "only.png")
    assert setup_error(photos).startswith(
        "data.test_fraction=0.2: expected at least 2 examples of every class"
    )


@pytest.mark.parametrize("memory_limit_gib", [0.0, 1.0])
def test_a_corrupt_image_is_named(photos: Path, memory_limit_gib: float) -> None:
    (photos / "dog" / "07.png").write_bytes(b"nothing that Pillow knows")
    message = setup_error(photos, memory_limit_gib=memory_limit_gib)
    assert message.startswith(f"{photos / 'dog' / '07.png'}: expected an image file")


def test_a_warm_process_does_not_decode_again(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source.forget()
    reads = reads_of(ImageFolder, monkeypatch)
    image_folder(photos).setup(STREAMS)
    image_folder(photos, batch_size=4, flip=True).setup(STREAMS)
    assert len(reads) == 1
    Image.new("RGB", (8, 8)).save(photos / "dog" / "07.png")
    image_folder(photos).setup(STREAMS)
    assert len(reads) == 2


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("image_size", 0, "1 or more"),
        ("memory_limit_gib", -0.5, "0 or more"),
        ("num_workers", -1, "0 or more"),
    ],
)
def test_a_size_below_its_range_is_refused(tmp_path: Path, key: str, value: float, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        image_folder(tmp_path / "photos", **{key: value})
    assert str(caught.value) == (
        f"data.{key}: expected {expected}, got {value}. Correct the key, or leave it out."
    )
