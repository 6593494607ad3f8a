"""A click log is read once; what is in the cache is whole or made again."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from seedbed.data import click_cache, click_parsing, source
from seedbed.data.click_cache import ClickCache
from seedbed.data.click_format import CRITEO
from seedbed.data.coded_rows import HeldCodes
from seedbed.errors import DataError
from tests.data.clicks import NUM_ROWS, write_log


@pytest.fixture(autouse=True)
def _own_memory() -> Iterator[None]:
    source.forget()
    yield
    source.forget()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    write_log(tmp_path / "log")
    return tmp_path / "log"


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Grows by one whenever a file is parsed."""
    seen: list[Path] = []
    parse = click_parsing.blocks

    def counting(path: Path, form: object) -> object:
        seen.append(path)
        return parse(path, form)  # type: ignore[arg-type]

    monkeypatch.setattr(click_cache, "blocks", counting)
    return seen


def cache(log: Path) -> ClickCache:
    return ClickCache(log.parent / "cache", log, CRITEO)


def codes(log: Path) -> torch.Tensor:
    (found,) = cache(log).read().rows.batches([torch.arange(NUM_ROWS)])
    return found


def test_a_log_is_parsed_once_and_a_copy_of_it_not_at_all(log: Path, reads: list[Path]) -> None:
    first = codes(log)
    copy = log.with_name("copy")
    copy.write_bytes(log.read_bytes())
    assert torch.equal(codes(log), first)
    assert torch.equal(codes(copy), first)
    assert reads == [log]


def test_a_touched_log_is_looked_at_and_a_changed_one_parsed(log: Path, reads: list[Path]) -> None:
    first = codes(log)
    os.utime(log, (1, 1))
    assert torch.equal(codes(log), first)
    assert len(reads) == 1
    log.write_bytes(log.read_bytes().replace(b"\n1\t", b"\n0\t", 1))
    assert cache(log).read().labels.sum() < NUM_ROWS
    assert len(reads) == 2


@pytest.mark.parametrize("suffix", [".codes", ".labels.npy", ".json"])
@pytest.mark.parametrize("size", [0, 10])
def test_a_cache_file_that_was_cut_short_is_made_again(
    log: Path, reads: list[Path], suffix: str, size: int
) -> None:
    first = codes(log)
    for file in (log.parent / "cache").glob(f"*{suffix}"):
        file.write_bytes(file.read_bytes()[:size])
    assert torch.equal(codes(log), first)
    assert len(reads) == 2


def test_a_log_that_breaks_off_leaves_nothing_in_the_cache(log: Path) -> None:
    log.write_bytes(log.read_bytes() + b"no line\n")
    with pytest.raises(DataError, match=f"line {NUM_ROWS + 1}: expected 40 values"):
        cache(log).read()
    assert not [file for file in (log.parent / "cache").iterdir() if "codes" in file.name]


def test_starts_at_the_same_time_parse_once(log: Path, reads: list[Path]) -> None:
    threads = [threading.Thread(target=cache(log).read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(reads) == 1


def test_streamed_codes_are_those_held_in_memory(log: Path) -> None:
    streamed = cache(log).read().rows
    held = HeldCodes(codes(log))
    chunks = [torch.tensor([3, 4, 5]), torch.tensor([499, 0, 7]), torch.tensor([], dtype=torch.int64)]
    for one, other in zip(streamed.batches(chunks), held.batches(chunks), strict=True):
        assert torch.equal(one, other)
    assert streamed.digest == held.digest
    assert len(streamed) == len(held) == NUM_ROWS
    changed = held.codes.clone()
    changed[1, 1] += 1
    assert HeldCodes(changed).digest != held.digest


def test_a_log_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        cache(tmp_path / "nowhere")._content()
    assert str(caught.value) == (
        f"{tmp_path / 'nowhere'}: expected a click log, got No such file or directory. "
        "Set data.root to its folder and data.file to its name."
    )


def test_a_cache_that_cannot_be_written_is_named(log: Path) -> None:
    (log.parent / "cache").write_text("a file")
    with pytest.raises(DataError, match="expected a folder with room to write decoded clicks in"):
        cache(log).read()


def test_labels_take_a_byte_each_in_the_cache(log: Path) -> None:
    assert cache(log).read().labels.dtype == np.int8
