"""Tiny real files in the publishers' formats, and data modules over them."""

import hashlib
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from torchvision import datasets

from seedbed.data.embedded import BreastCancer, Chd, Digits
from seedbed.data.image_folder import ImageFolder
from seedbed.data.module import DataModule
from seedbed.data.published import Published
from seedbed.data.source import Source
from seedbed.streams import Streams, spawn

STREAMS: Streams = spawn(0)
NUM_TRAIN, NUM_TEST = 120, 30
NO_FOLDS = dict.fromkeys(("num_folds", "fold", "num_inner_folds", "inner_fold"))
IMAGES: dict[str, Any] = NO_FOLDS | {
    "batch_size": 16,
    "val_fraction": 0.25,
    "standardize": True,
    "crop_padding": 0,
    "flip": False,
    "centred": False,
}
TABLES: dict[str, Any] = NO_FOLDS | {
    "batch_size": 16,
    "val_fraction": 0.25,
    "test_fraction": 0.2,
    "standardize": True,
}


def digits(**changes: Any) -> Digits:
    return Digits(**(IMAGES | {"test_fraction": 0.2} | changes))


def breast_cancer(**changes: Any) -> BreastCancer:
    return BreastCancer(**(TABLES | changes))


def chd(**changes: Any) -> Chd:
    keys = TABLES | {"batch_size": None, "val_fraction": 0.0, "test_fraction": 0.0}
    return Chd(**(keys | changes))


def published(root: Path, dataset: str = "MNIST", **changes: Any) -> Published:
    keys = IMAGES | {"dataset": dataset, "root": str(root), "download": False}
    return Published(**(keys | changes))


def image_folder(root: Path, **changes: Any) -> ImageFolder:
    keys = IMAGES | {
        "root": str(root),
        "image_size": 8,
        "test_fraction": 0.2,
        "memory_limit_gib": 1.0,
        "num_workers": 0,
        "cache_dir": str(root.parent / "cache"),
    }
    return ImageFolder(**(keys | changes))


def reads_of(kind: type[DataModule], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Grows by one whenever a module of this kind reads its files."""
    reads: list[str] = []
    read = kind._read

    def counting(data: DataModule) -> Source:
        reads.append(data.source)
        return read(data)

    monkeypatch.setattr(kind, "_read", counting)
    return reads


def write_idx(file: Path, values: NDArray[np.uint8]) -> None:
    """LeCun's format: two zero bytes, type 8, number of axes, each size big-endian, the bytes."""
    file.parent.mkdir(parents=True, exist_ok=True)
    sizes = b"".join(size.to_bytes(4, "big") for size in values.shape)
    file.write_bytes(bytes([0, 0, 8, values.ndim]) + sizes + values.tobytes())


def write_mnist(root: Path, dataset: str = "MNIST") -> dict[str, NDArray[np.uint8]]:
    """The four raw files, without any archive; returns what they hold by file name."""
    random = np.random.default_rng(11)
    files = {}
    for split, count in (("train", NUM_TRAIN), ("t10k", NUM_TEST)):
        files[f"{split}-images-idx3-ubyte"] = random.integers(0, 256, (count, 28, 28), np.uint8)
        files[f"{split}-labels-idx1-ubyte"] = (np.arange(count) * 7 % 10).astype(np.uint8)
    for name, values in files.items():
        write_idx(root / dataset / "raw" / name, values)
    return files


def write_cifar(root: Path, dataset: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """CIFAR's pickles; torchvision's own checksum test runs, told of the checksums of these files."""
    reader: Any = getattr(datasets, dataset)
    num_classes, key = (10, "labels") if dataset == "CIFAR10" else (100, "fine_labels")
    random, digests, written = np.random.default_rng(12), {}, {}
    counts = {name: NUM_TRAIN for name, _ in reader.train_list} | {name: 200 for name, _ in reader.test_list}
    if dataset == "CIFAR100":
        counts = dict.fromkeys(counts, 400)
    for name, count in counts.items():
        labels = (np.arange(count) % num_classes).tolist()
        batch = {"data": random.integers(0, 256, (count, 3072), np.uint8), key: labels}
        digests[name], written[name] = _write_pickle(root / reader.base_folder / name, batch), batch
    names = {reader.meta["key"]: [f"kind {place}" for place in range(num_classes)]}
    meta = _write_pickle(root / reader.base_folder / reader.meta["filename"], names)
    monkeypatch.setattr(reader, "train_list", [[name, digests[name]] for name, _ in reader.train_list])
    monkeypatch.setattr(reader, "test_list", [[name, digests[name]] for name, _ in reader.test_list])
    monkeypatch.setattr(reader, "meta", reader.meta | {"md5": meta})
    return written


def _write_pickle(file: Path, value: Any) -> str:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(pickle.dumps(value))
    return hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()


def write_folder(root: Path, *, classes: tuple[str, ...] = ("cat", "dog", "owl"), each: int = 20) -> Path:
    """Class folders of photographs' formats and modes: colour PNG, grey PNG, JPEG, of several sizes."""
    random = np.random.default_rng(13)
    for name in classes:
        (root / name).mkdir(parents=True)
        for place in range(each):
            height, width = [(8, 8), (8, 8), (11, 8), (9, 14)][place % 4]
            grey, suffix = place % 5 == 4, "jpg" if place % 3 == 2 else "png"
            shape = (height, width) if grey else (height, width, 3)
            pixels = random.integers(0, 256, shape, np.uint8)
            Image.fromarray(pixels).save(root / name / f"{place:02}.{suffix}")
    return root
