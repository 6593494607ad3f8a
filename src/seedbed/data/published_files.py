"""The files behind torchvision's readers: which they are, whether they are whole, how to get them."""

from collections.abc import Sequence
from http.client import HTTPException
from math import prod
from pathlib import Path
from typing import Any

from filelock import FileLock
from torchvision.datasets.utils import check_integrity

from seedbed.errors import DataError

# A torchvision data set class; it has no types.
Reader = Any
UINT8 = 8  # idx code of the only element type that the MNIST family uses


def expected_files(reader: Reader, root: Path) -> dict[Path, str | None]:
    """Every file the reader opens, with its MD5 where torchvision knows it."""
    if hasattr(reader, "resources"):  # the MNIST family, whose checksums are those of the archives
        raw = root / reader.__name__ / "raw"
        return {raw / Path(archive).stem: None for archive, _ in reader.resources}
    meta = (reader.meta["filename"], reader.meta["md5"])
    listed = [*reader.train_list, *reader.test_list, meta]
    return {root / reader.base_folder / name: digest for name, digest in listed}


def obtain(reader: Reader, root: Path, *, download: bool) -> None:
    """Makes sure that the files are there, fetching them if that is allowed.

    Raises:
        DataError: saying which files are missing, who publishes them and what to do.
    """
    missing = [file for file in expected_files(reader, root) if not file.is_file()]
    if not missing:
        return
    if not download:
        raise _unobtained(
            reader, root, missing, f"no {_names(missing)}", "Set data.download=true, put them there"
        )
    try:
        root.mkdir(parents=True, exist_ok=True)
        with FileLock(root / f".{reader.__name__}.lock"):  # jobs that start together fetch once
            reader(root, download=True)
    except (OSError, RuntimeError, HTTPException) as failure:
        reason = "a failed download: " + " ".join(str(failure).split())
        raise _unobtained(
            reader, root, missing, reason, "Check the network and try again, put them there"
        ) from failure


def check_idx(file: Path) -> None:
    """Refuses an idx file whose length is not what its own header promises.

    Raises:
        DataError: naming the file and both lengths.
    """
    with file.open("rb") as opened:
        magic = opened.read(4)
        sizes = [int.from_bytes(opened.read(4), "big") for _ in range(magic[3] if len(magic) == 4 else 0)]
    length, promised = file.stat().st_size, 4 + 4 * len(sizes) + prod(sizes)
    if magic[:3] != bytes([0, 0, UINT8]) or not sizes:
        raise _broken(
            file, "an idx file of unsigned bytes", f"a file that begins with {magic.hex() or 'nothing'}"
        )
    if length != promised:
        raise _broken(file, f"{promised} bytes, as its header says", f"{length} bytes")
    if not prod(sizes):
        raise _broken(file, "at least one example", "none")


def check_digests(reader: Reader, root: Path) -> None:
    """Refuses files whose MD5 is not the publisher's; for when torchvision only says that one is not.

    Raises:
        DataError: naming the files.
    """
    files = expected_files(reader, root)
    changed = [file for file, digest in files.items() if not check_integrity(file, digest)]
    if changed:
        raise _broken(
            changed[0].parent, "the publisher's files (by MD5)", f"other bytes in {_names(changed)}"
        )


def _unobtained(reader: Reader, root: Path, missing: Sequence[Path], got: str, do: str) -> DataError:
    folder = missing[0].parent
    publishers = getattr(reader, "mirrors", None) or [reader.url]
    return DataError(
        f"data.root ({reader.__name__})",
        expected=f"{_names(missing)} in {folder}, published at {' or '.join(publishers)}",
        got=got,
        do=f"{do}, or set data.root to the folder that holds {folder.relative_to(root)}.",
    )


def _broken(file: Path, expected: str, got: str) -> DataError:
    return DataError(str(file), expected=expected, got=got, do="Remove it and set data.download=true.")


def _names(files: Sequence[Path]) -> str:
    return ", ".join(file.name for file in files)
