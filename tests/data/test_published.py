import functools
import gzip
import hashlib
import http.server
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torchvision import datasets

from seedbed.data import source
from seedbed.data.module import DataModule
from seedbed.data.published import Published
from seedbed.errors import ConfigError, DataError
from tests.data.tiny import STREAMS, published, reads_of, write_cifar, write_idx, write_mnist

RAW = Path("MNIST") / "raw"
TRAIN_IMAGES, TRAIN_LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"


def setup_error(data: DataModule) -> str:
    with pytest.raises(DataError) as caught:
        data.setup(STREAMS)
    return str(caught.value)


def held_out(data: Published) -> tuple[torch.Tensor, torch.Tensor]:
    """Inputs and labels of the test split, in file order."""
    loader = data.test_dataloader()
    assert loader is not None
    batches = list(loader)
    return torch.cat([batch.inputs for batch in batches]), torch.cat([batch.labels for batch in batches])


@pytest.mark.parametrize("dataset", ["MNIST", "FashionMNIST"])
def test_the_idx_files_alone_are_enough(tmp_path: Path, dataset: str) -> None:
    files = write_mnist(tmp_path, dataset)
    data = published(tmp_path, dataset, standardize=False)
    data.setup(STREAMS, dtype=torch.float64)
    inputs, labels = held_out(data)
    assert np.array_equal(inputs[:, 0].numpy(), files["t10k-images-idx3-ubyte"] / 255)
    assert np.array_equal(labels.numpy(), files["t10k-labels-idx1-ubyte"])
    assert data.facts.input_shape == (1, 28, 28)
    assert data.facts.class_names == tuple(getattr(datasets, dataset).classes)


@pytest.mark.parametrize("dataset", ["MNIST", "CIFAR10"])
def test_every_file_that_is_read_is_listed(
    tmp_path: Path, dataset: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if dataset == "MNIST":
        write_mnist(tmp_path, dataset)
    else:
        write_cifar(tmp_path, dataset, monkeypatch)
    there = {str(path.relative_to(tmp_path)): path for path in tmp_path.rglob("*") if path.is_file()}
    assert published(tmp_path, dataset).files() == there


@pytest.mark.parametrize("dataset", ["CIFAR10", "CIFAR100"])
def test_cifar_keeps_its_channels_and_its_class_names(
    tmp_path: Path, dataset: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = write_cifar(tmp_path, dataset, monkeypatch)
    data = published(tmp_path, dataset, standardize=False)
    data.setup(STREAMS, dtype=torch.float64)
    inputs, labels = held_out(data)
    (name,) = [name for name in written if name.startswith("test")]
    pixels = written[name]["data"].reshape(-1, 3, 32, 32)  # red, green and blue planes, row by row
    assert np.array_equal(inputs.numpy(), pixels / 255)
    assert labels.tolist() == written[name]["labels" if dataset == "CIFAR10" else "fine_labels"]
    assert data.facts.class_names[3] == "kind 3"
    assert len(data.facts.class_names) == data.facts.num_classes == (10 if dataset == "CIFAR10" else 100)


def test_missing_files_are_named_with_their_publishers_and_what_to_do(tmp_path: Path) -> None:
    write_mnist(tmp_path)
    (tmp_path / RAW / TRAIN_LABELS).unlink()
    assert setup_error(published(tmp_path)) == (
        f"data.root (MNIST): expected train-labels-idx1-ubyte in {tmp_path / RAW}, published at "
        "https://ossci-datasets.s3.amazonaws.com/mnist/ or http://yann.lecun.com/exdb/mnist/, "
        "got no train-labels-idx1-ubyte. "
        "Set data.download=true, put them there, or set data.root to the folder that holds MNIST/raw."
    )


def test_missing_batches_are_named_too(tmp_path: Path) -> None:
    assert setup_error(published(tmp_path, "CIFAR100")) == (
        f"data.root (CIFAR100): expected train, test, meta in {tmp_path / 'cifar-100-python'}, "
        "published at https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz, got no train, test, meta. "
        "Set data.download=true, put them there, or set data.root to the folder that holds cifar-100-python."
    )


@pytest.fixture
def publisher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that MNIST's publisher serves, on this machine."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    folder = tmp_path / "published"
    folder.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        monkeypatch.setattr(datasets.MNIST, "mirrors", [f"http://127.0.0.1:{server.server_port}/"])
        yield folder
        server.shutdown()
        thread.join()


def test_missing_files_are_fetched_where_that_is_allowed(
    tmp_path: Path, publisher: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = write_mnist(tmp_path)
    resources = []
    for name in files:
        packed = gzip.compress((tmp_path / RAW / name).read_bytes())
        (publisher / f"{name}.gz").write_bytes(packed)
        resources.append((f"{name}.gz", hashlib.md5(packed, usedforsecurity=False).hexdigest()))
    monkeypatch.setattr(datasets.MNIST, "resources", resources)
    data = published(tmp_path / "elsewhere", download=True)
    data.setup(STREAMS)
    assert held_out(data)[1].tolist() == files["t10k-labels-idx1-ubyte"].tolist()


def test_a_failed_download_says_so(tmp_path: Path, publisher: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as silent:  # bound and not listening, so it refuses every connection
        silent.bind(("127.0.0.1", 0))
        mirror = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        monkeypatch.setattr(datasets.MNIST, "mirrors", [mirror])
        message = setup_error(published(tmp_path / "data", download=True))
    assert message.startswith("data.root (MNIST): expected train-images-idx3-ubyte, ")
    assert f", got a failed download: Error downloading {TRAIN_IMAGES}.gz: Tried {mirror}, got: " in message
    assert "Connection refused" in message
    assert message.endswith(
        "Check the network and try again, put them there, "
        "or set data.root to the folder that holds MNIST/raw."
    )


def test_a_download_into_a_place_that_is_no_folder_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "got a failed download: [Errno 20] Not a directory" in setup_error(
        published(tmp_path / "file" / "data", download=True)
    )


@pytest.mark.parametrize("name", [TRAIN_IMAGES, TRAIN_LABELS])
def test_a_truncated_idx_file_is_named_with_both_lengths(tmp_path: Path, name: str) -> None:
    write_mnist(tmp_path)
    file = tmp_path / RAW / name
    whole = file.stat().st_size
    os.truncate(file, whole - 7)
    assert setup_error(published(tmp_path)) == (
        f"{file}: expected {whole} bytes, as its header says, got {whole - 7} bytes. "
        "Remove it and set data.download=true."
    )


@pytest.mark.parametrize(
    ("content", "begins"), [(b"", "nothing"), (b"<html>", "3c68746d"), (b"\0\0\x0d\x01", "00000d01")]
)
def test_a_file_that_is_no_idx_file_of_bytes_is_named(tmp_path: Path, content: bytes, begins: str) -> None:
    write_mnist(tmp_path)
    file = tmp_path / RAW / TRAIN_IMAGES
    file.write_bytes(content)
    assert setup_error(published(tmp_path)) == (
        f"{file}: expected an idx file of unsigned bytes, got a file that begins with {begins}. "
        "Remove it and set data.download=true."
    )


def test_a_file_without_examples_is_refused(tmp_path: Path) -> None:
    write_mnist(tmp_path)
    file = tmp_path / RAW / TRAIN_IMAGES
    write_idx(file, np.zeros((0, 28, 28), np.uint8))
    assert setup_error(published(tmp_path)).startswith(f"{file}: expected at least one example, got none.")


def test_labels_of_another_file_are_refused(tmp_path: Path) -> None:
    files = write_mnist(tmp_path)
    write_idx(tmp_path / RAW / TRAIN_LABELS, files[TRAIN_LABELS][:-1])
    assert "got 119 labels for 120 examples" in setup_error(published(tmp_path))


def test_a_label_out_of_range_is_refused(tmp_path: Path) -> None:
    files = write_mnist(tmp_path)
    files[TRAIN_LABELS][17] = 10
    write_idx(tmp_path / RAW / TRAIN_LABELS, files[TRAIN_LABELS])
    assert setup_error(published(tmp_path)).startswith(
        "train split, example 17: expected a label from 0 to 9, got 10."
    )


def test_changed_batches_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_cifar(tmp_path, "CIFAR10", monkeypatch)
    folder = tmp_path / "cifar-10-batches-py"
    os.truncate(folder / "data_batch_3", 1000)
    assert setup_error(published(tmp_path, "CIFAR10")) == (
        f"{folder}: expected the publisher's files (by MD5), got other bytes in data_batch_3. "
        "Remove it and set data.download=true."
    )


def test_another_data_set_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        published(Path(), "KMNIST")
    assert str(caught.value) == (
        "data.dataset: expected one of MNIST, FashionMNIST, CIFAR10, CIFAR100, got 'KMNIST'. "
        "For images of your own use data=image_folder."
    )


def test_files_are_read_once_a_process_unless_they_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source.forget()
    files, reads = write_mnist(tmp_path), reads_of(Published, monkeypatch)
    first, second, third = published(tmp_path), published(tmp_path, flip=True), published(tmp_path)
    first.setup(STREAMS)
    second.setup(STREAMS)
    assert len(reads) == 1
    files["t10k-labels-idx1-ubyte"][0] = 9
    write_idx(tmp_path / RAW / "t10k-labels-idx1-ubyte", files["t10k-labels-idx1-ubyte"])
    os.utime(
        tmp_path / RAW / "t10k-labels-idx1-ubyte", ns=(1, 1)
    )  # a clock may stand still between two writes
    third.setup(STREAMS)
    assert len(reads) == 2
    assert held_out(third)[1][0] == 9
