"""Where the data of the contests lies, and what is missing."""

from pathlib import Path

MNIST_FILES = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
NUM_TINY = 500
MNIST_BYTES = 70_000 * 28 * 28
WANTED = {
    "mnist": "MNIST/raw with the four idx files of MNIST in --data",
    "photographs": "class folders of 32x32 photographs below train/ in --photographs",
}


def places(data: Path, photographs: Path, scratch: Path) -> dict[str, str]:
    """The folder of each kind of data that there is, by the name that commands use."""
    found = {}
    if all(_idx(data, name).is_file() for name in MNIST_FILES):
        found = {"mnist": str(data.resolve()), "tiny": str(_tiny(data, scratch / "tiny"))}
    if (photographs / "train").is_dir():
        found["photographs"] = str(photographs.resolve())
    return found


def _idx(root: Path, name: str) -> Path:
    return root / "MNIST" / "raw" / f"{name}-ubyte"


def _tiny(data: Path, root: Path) -> Path:
    """The first few hundred examples of each file, under the same names."""
    _idx(root, MNIST_FILES[0]).parent.mkdir(parents=True)
    for name in MNIST_FILES:
        whole = _idx(data, name).read_bytes()
        header, size = (16, 28 * 28) if "images" in name else (8, 1)
        begin = whole[:4] + NUM_TINY.to_bytes(4, "big") + whole[8:header]
        _idx(root, name).write_bytes(begin + whole[header : header + NUM_TINY * size])
    return root
