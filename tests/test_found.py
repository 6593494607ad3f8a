"""Which checkpoint of a folder serves, by what each says of itself; and how the last one is replaced."""

import errno
import os
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch

from seedbed.checkpoint import MARK, Mark, Start, copy_to_best, found, read, replace_last
from seedbed.errors import StoreError

SIGNATURE = "0123456789abcdef"
# Finished epochs, batches of the next one, the best epoch; None: a file that is torn.
Position = tuple[int, int, int] | None


def write(path: Path, position: Position) -> None:
    torch.save({MARK: Mark(SIGNATURE, *(position or (1, 0, 1)))._asdict()}, path)
    if position is None:
        path.write_bytes(path.read_bytes()[:-100])


def position(path: Path) -> Position:
    mark = read(path, SIGNATURE)
    return mark.epoch, mark.batch, mark.best_epoch


@pytest.mark.parametrize(
    ("files", "serves", "refused"),
    [
        ({}, None, []),
        ({"last": (0, 5, 0)}, "last", []),  # before the first epoch has ended, there is no best
        ({"last": (2, 5, 1), "previous": (2, 3, 1), "best": (1, 0, 1)}, "last", []),
        ({"last": (2, 0, 2), "best": (1, 0, 1)}, "last", []),
        ({"last": (2, 5, 2), "best": (1, 0, 1)}, "best", ["last"]),
        ({"last": (2, 5, 2)}, None, ["last"]),
        ({"last": (2, 5, 2), "best": None}, None, ["last", "best"]),
        ({"last": None, "previous": (2, 3, 1), "best": (1, 0, 1)}, "previous", ["last"]),
        ({"last": None, "previous": (2, 0, 2)}, "previous", ["last"]),
        ({"last": None, "previous": (2, 0, 2), "best": (3, 0, 3)}, "best", ["last", "previous"]),
        ({"previous": (2, 3, 1), "best": (1, 0, 1)}, "previous", []),  # killed between two renames
        ({"last": None, "previous": None, "best": (1, 0, 1)}, "best", ["last", "previous"]),
    ],
)
def test_the_newest_serves_that_is_whole_and_stands_beside_its_best(
    tmp_path: Path, files: Mapping[str, Position], serves: str | None, refused: list[str]
) -> None:
    for name, place in files.items():
        write(tmp_path / f"{name}.ckpt", place)
    start = found(tmp_path, SIGNATURE)
    assert [line.partition(".ckpt refused: ")[0] for line in start.refused] == refused
    assert sorted(path.stem for path in tmp_path.glob("*.refused")) == sorted(refused)
    if serves is None:
        assert start == Start(None, 0, 0, start.refused)
        return
    place = files[serves]
    assert place is not None
    assert start == Start(tmp_path / f"{serves}.ckpt", place[0], place[1], start.refused)
    if place[2]:
        assert position(tmp_path / "best.ckpt") == (place[2], 0, place[2])


def content(folder: Path, place: Position) -> bytes:
    write(folder / "new", place)
    return (folder / "new").read_bytes()


def test_the_last_checkpoint_becomes_the_previous_one_and_what_was_refused_does_not(tmp_path: Path) -> None:
    for batch in (1, 2, 3):
        replace_last(tmp_path, content(tmp_path, (0, batch, 0)))
    assert position(tmp_path / "last.ckpt") == (0, 3, 0)
    assert position(tmp_path / "previous.ckpt") == (0, 2, 0)
    write(tmp_path / "last.ckpt", None)
    assert found(tmp_path, SIGNATURE).batch == 2
    replace_last(tmp_path, content(tmp_path, (0, 4, 0)))
    assert position(tmp_path / "previous.ckpt") == (0, 2, 0)


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_a_write_that_fails_leaves_all_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    replace_last(tmp_path, content(tmp_path, (1, 0, 1)))
    copy_to_best(tmp_path / "last.ckpt")
    new = content(tmp_path, (1, 1, 1))
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}

    def fail(_: int) -> None:
        raise error

    monkeypatch.setattr(os, "fsync", fail)
    for again in range(2):
        with pytest.raises((StoreError, KeyboardInterrupt)):
            replace_last(tmp_path, new) if again else copy_to_best(tmp_path / "last.ckpt")
        assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
