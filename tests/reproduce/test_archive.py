"""An archive is read whole and as it was written, or refused with nothing written."""

import hashlib
import json
import shutil
import stat
import struct
from collections.abc import Callable
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import pytest

from seedbed.errors import StoreError
from seedbed.reproduce.archive import MANIFEST, STAMP, read, write
from seedbed.reproduce.entries import Bounds

DO = " Nothing was written. Have it packed or sent again."
FILES = {"runs/a/one.txt": b"one\n", "runs/a/two.bin": bytes(range(256)) * 50, "code/c": b""}


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """What goes into the archive."""
    for name, content in FILES.items():
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(content)
    return {name: tmp_path / "in" / name for name in FILES}


@pytest.fixture
def good(tmp_path: Path, files: dict[str, Path]) -> Path:
    write(tmp_path / "good.zip", files, {"kind": "run"})
    return tmp_path / "good.zip"


def refusal(path: Path, bounds: Bounds = Bounds()) -> str:  # noqa: B008 - immutable
    """What is said of an archive, in its folder; the file's name is left out."""
    folder = path.parent / "out"
    folder.mkdir()
    with pytest.raises(StoreError) as caught:
        read(path, folder, bounds)
    assert not (path.parent / "escaped.txt").exists()
    return str(caught.value).removeprefix(f"archive {path}: ").removesuffix(DO)


def made(path: Path, *members: tuple[ZipInfo | str, bytes], lists: dict[str, bytes] | None = None) -> Path:
    """A zip file of these members, with a manifest that lists them, or others."""
    listed = {name_of(entry): content for entry, content in members} if lists is None else lists
    told = {
        name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
        for name, content in listed.items()
    }
    with ZipFile(path, "w") as archive:
        archive.writestr(MANIFEST, json.dumps({"format": "seedbed archive", "version": 1, "members": told}))
        for entry, content in members:
            archive.writestr(entry, content)
    return path


def name_of(entry: ZipInfo | str) -> str:
    return entry if isinstance(entry, str) else entry.filename


def test_what_was_written_is_read(good: Path, tmp_path: Path) -> None:
    manifest = read(good, tmp_path / "out")
    assert {name: (tmp_path / "out" / name).read_bytes() for name in FILES} == FILES
    assert (manifest["kind"], manifest["version"]) == ("run", 1)
    assert manifest["members"]["runs/a/one.txt"] == {
        "sha256": "2c8b08da5ce60398e1f19af0e5dccc744df274b826abe585eaba68c525434806",
        "bytes": 4,
    }


def test_the_same_files_give_the_same_bytes(good: Path, files: dict[str, Path], tmp_path: Path) -> None:
    for file in files.values():
        file.touch()
    write(tmp_path / "again.zip", dict(reversed(files.items())), {"kind": "run"})
    assert (tmp_path / "again.zip").read_bytes() == good.read_bytes()


def test_nothing_is_written_over(good: Path, files: dict[str, Path]) -> None:
    with pytest.raises(StoreError, match="expected a new file in a folder, got one that is there"):
        write(good, files, {})
    with pytest.raises(StoreError, match="got no folder"):
        write(good.parent / "none" / "a.zip", files, {})


def test_a_name_that_some_system_misreads_is_not_packed(files: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="expected names that every system takes, got 'a\\\\\\\\b'"):
        write(tmp_path / "a.zip", {"a\\b": files["code/c"]}, {})


def test_more_than_the_bounds_is_not_packed(files: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"at most 1000 bytes, got 1\d+\. Pack its runs one by one\."):
        write(tmp_path / "a.zip", files, {}, Bounds(total=1000))
    assert not list(tmp_path.glob("a.zip*"))


@pytest.mark.parametrize(
    "name",
    [
        "../escaped.txt",
        "runs/../../escaped.txt",
        "/tmp/escaped.txt",  # noqa: S108 - not written
        "runs\\..\\escaped.txt",
        "C:/escaped.txt",
        "runs//escaped.txt",
        "runs/./escaped.txt",
        "runs/a\nb",
        "runs/" + "a" * 256,
        "r/" * 300 + "a",
        "runs/a\x00b",
    ],
)
def test_a_name_outside_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    placeholder = name.replace("\x00", "0")
    path = made(tmp_path / "bad.zip", (placeholder, b"x"))
    if placeholder != name:
        path.write_bytes(path.read_bytes().replace(b"a0b", b"a\x00b"))
    assert refusal(path) == f"expected names of files below it, got {name!r}."


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFDIR])
def test_links_devices_and_folders_are_refused(tmp_path: Path, kind: int) -> None:
    entry = ZipInfo("runs/link", STAMP)
    entry.create_system, entry.external_attr = 3, (kind | 0o777) << 16
    path = made(tmp_path / "bad.zip", (entry, b"/etc/passwd"))
    assert refusal(path) == "expected plain files, got runs/link, a link, folder or device."


def test_a_compressed_member_is_refused_so_that_no_bomb_fits(tmp_path: Path) -> None:
    entry = ZipInfo("runs/bomb", STAMP)
    entry.compress_type = ZIP_DEFLATED
    path = made(tmp_path / "bad.zip", (entry, bytes(10_000_000)))
    assert path.stat().st_size < 20_000
    assert refusal(path) == "expected plain files, got runs/bomb, compressed or encrypted."


def test_members_that_overlap_are_refused(tmp_path: Path) -> None:
    content = b"x" * 10_000
    path = made(tmp_path / "bad.zip", ("a", content), ("b", content))
    with ZipFile(path) as archive:
        first, second = (archive.getinfo(name).header_offset for name in "ab")
    data = bytearray(path.read_bytes())
    data = bytearray(data.replace(struct.pack("<L", second) + b"b", struct.pack("<L", first) + b"b"))
    del data[second : second + 30 + 1 + len(content)]
    start = data.rfind(b"PK\x05\x06") + 16
    data[start : start + 4] = struct.pack("<L", second)
    path.write_bytes(data)
    size = path.stat().st_size
    assert refusal(path) == f"expected at most its own {size} bytes, got members that overlap."


def test_a_member_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        path = made(tmp_path / "bad.zip", ("a", b"x"), ("a", b"y"))
    assert refusal(path) == "expected each member once, got a again."


def test_a_file_that_is_a_folder_too_is_refused(tmp_path: Path) -> None:
    path = made(tmp_path / "bad.zip", ("a", b"x"), ("a/b", b"y"))
    assert refusal(path) == "expected each member once, got a as a file and as a folder."


def test_a_member_that_the_manifest_does_not_list_is_refused(tmp_path: Path) -> None:
    path = made(tmp_path / "bad.zip", ("a", b"x"), ("b", b"y"), lists={"a": b"x"})
    assert refusal(path) == "expected the members that MANIFEST.json lists, got a difference in 'b'."


def test_a_member_that_is_missing_is_refused(tmp_path: Path) -> None:
    path = made(tmp_path / "bad.zip", ("a", b"x"), lists={"a": b"x", "b": b"y"})
    assert refusal(path) == "expected the members that MANIFEST.json lists, got a difference in 'b'."


def test_other_bytes_than_the_manifest_says_are_refused(tmp_path: Path) -> None:
    path = made(tmp_path / "bad.zip", ("a", b"x"), lists={"a": b"y"})
    assert refusal(path) == "expected a as MANIFEST.json says, got other bytes."


def test_a_flipped_bit_is_refused_wherever_it_is_in_the_content(good: Path) -> None:
    data = bytearray(good.read_bytes())
    data[data.find(bytes(range(256))) + 300] ^= 4
    good.write_bytes(data)
    assert refusal(good) == "expected a whole archive, got Bad CRC-32 for file 'runs/a/two.bin'."


@pytest.mark.parametrize("left", [0, 10, 100, 0.5, -1])
def test_a_truncated_archive_is_refused(good: Path, left: float) -> None:
    data = good.read_bytes()
    good.write_bytes(data[: int(left if left in (0, 10, 100, -1) else left * len(data))])
    assert refusal(good) == "expected a whole archive, got a file that does not end like one."


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.zip").write_bytes(b"seeds " * 1000)
    assert refusal(tmp_path / "bad.zip") == (
        "expected a whole archive, got a file that does not end like one."
    )


def test_an_archive_with_something_before_or_after_it_is_refused(good: Path, tmp_path: Path) -> None:
    data = good.read_bytes()
    good.write_bytes(b"#!/bin/sh\n" + data)
    assert refusal(good) == "expected a whole archive, got one whose parts do not add up."
    shutil.rmtree(tmp_path / "out")
    good.write_bytes(data + b"\n")
    assert refusal(good) == "expected a whole archive, got a file that does not end like one."


def test_a_larger_kind_of_archive_is_refused_before_it_is_read(good: Path) -> None:
    data = good.read_bytes()
    good.write_bytes(data[:-22] + b"PK\x06\x07" + bytes(16) + data[-22:])
    assert refusal(good) == f"expected at most {Bounds().total} bytes, got an archive of the kind for more."


@pytest.mark.parametrize(
    ("bounds", "told"),
    [
        (Bounds(total=1000), "expected at most 1000 bytes, got "),
        (Bounds(single=1000), "expected at most 1000 bytes in a member, got 12800."),
        (Bounds(members=3), "expected at most 3 members, got 4."),
    ],
)
def test_more_than_the_bounds_is_refused(good: Path, bounds: Bounds, told: str) -> None:
    assert refusal(good, bounds).startswith(told)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            lambda told: told | {"version": 2},
            "format 'seedbed archive', version 1, got 'seedbed archive', version 2.",
        ),
        (lambda told: told | {"format": "x"}, "format 'seedbed archive', version 1, got 'x', version 1."),
        (lambda _: {"version": 1}, "a MANIFEST.json as `seedbed pack` writes it, got KeyError."),
        (lambda _: [], "a MANIFEST.json as `seedbed pack` writes it, got TypeError."),
        (
            lambda told: told | {"members": {"a": 1}},
            "a MANIFEST.json as `seedbed pack` writes it, got TypeError.",
        ),
    ],
)
def test_another_manifest_is_refused(tmp_path: Path, change: Callable[[object], object], told: str) -> None:
    with ZipFile(tmp_path / "bad.zip", "w") as archive:
        manifest = {"format": "seedbed archive", "version": 1, "members": {}}
        archive.writestr(MANIFEST, json.dumps(change(manifest)))
    assert refusal(tmp_path / "bad.zip") == f"expected {told}"


@pytest.mark.parametrize("text", ["{", "[" * 100_000])
def test_a_manifest_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    with ZipFile(tmp_path / "bad.zip", "w") as archive:
        archive.writestr(MANIFEST, text)
    assert refusal(tmp_path / "bad.zip").startswith(
        "expected a MANIFEST.json as `seedbed pack` writes it, got "
    )


def test_an_archive_without_manifest_is_refused(tmp_path: Path) -> None:
    with ZipFile(tmp_path / "bad.zip", "w") as archive:
        archive.writestr("a", "x")
    assert refusal(tmp_path / "bad.zip") == "expected a member MANIFEST.json, got none."
