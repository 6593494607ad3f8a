"""The journal keeps every point once, whatever the process that writes it meets."""

import math
import os
import threading
from pathlib import Path

import pytest

from seedbed.errors import StoreError
from seedbed.track.entries import Point
from seedbed.track.journal import MAX_BATCH, Journal


def values(journal: Journal) -> list[tuple[str, int, float]]:
    return [(point.name, point.step, point.value) for point in journal.points()]


def test_points_come_back_in_order_and_to_the_last_bit(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append({"val/loss": 0.1 + 2**-56, "val/accuracy": 1e-300}, step=1)
    journal.append({"val/loss": math.inf}, step=2)
    assert values(Journal(tmp_path)) == [
        ("val/loss", 1, 0.1 + 2**-56),
        ("val/accuracy", 1, 1e-300),
        ("val/loss", 2, math.inf),
    ]


def test_a_point_that_is_no_number_comes_back_as_none(tmp_path: Path) -> None:
    Journal(tmp_path).append({"val/loss": math.nan}, step=1)
    (point,) = Journal(tmp_path).points()
    assert math.isnan(point.value)


@pytest.mark.parametrize("torn", [b'{"time": 1, "step": 2, "metr', b"{", b"\xff\xfe"])
def test_a_torn_last_line_is_passed_over_then_cut_off(tmp_path: Path, torn: bytes) -> None:
    Journal(tmp_path).append({"loss": 1.0}, step=1)
    with (tmp_path / "journal.jsonl").open("ab") as file:
        file.write(torn)
    reader = Journal(tmp_path)
    assert values(reader) == [("loss", 1, 1.0)]
    assert (tmp_path / "journal.jsonl").read_bytes().endswith(torn)  # another process may be writing it
    writer = Journal(tmp_path)
    writer.append({"loss": 2.0}, step=2)
    assert values(Journal(tmp_path)) == [("loss", 1, 1.0), ("loss", 2, 2.0)]


def test_a_repeated_step_keeps_its_first_value_also_after_a_restart(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append({"loss": 1.0}, step=1)
    journal.append({"loss": 9.0, "accuracy": 0.5}, step=1)
    resumed = Journal(tmp_path)
    resumed.append({"loss": 9.0, "accuracy": 9.0}, step=1)
    resumed.append({"loss": 2.0}, step=2)
    assert values(resumed) == [("loss", 1, 1.0), ("accuracy", 1, 0.5), ("loss", 2, 2.0)]


def test_points_of_the_store_are_taken_in_with_their_time_and_only_where_they_lack(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append({"loss": 1.0}, step=1)
    journal.adopt([Point("loss", 9.0, 5, 1), Point("loss", 2.0, 6, 2), Point("odd", math.nan, 7, 2)])
    journal.append({"loss": 9.0, "odd": 9.0}, step=2)
    (_, two, odd) = Journal(tmp_path).points()
    assert two == Point("loss", 2.0, 6, 2)
    assert (math.isnan(odd.value), odd.time, odd.step) == (True, 7, 2)
    assert values(journal)[0] == ("loss", 1, 1.0)


def test_what_is_marked_delivered_is_not_offered_again(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append({"loss": 1.0}, step=1)
    for entry in journal.undelivered():
        journal.mark_delivered(entry.end)
    assert not journal.waits()
    journal.append({"loss": 2.0}, step=2)
    (entry,) = Journal(tmp_path).undelivered()
    assert (entry.kind, entry.value, entry.step) == ("metrics", {"loss": 2.0}, 2)


@pytest.mark.parametrize("sent", ["", "12 bytes", "-1", "9999999"])
def test_a_doubtful_mark_counts_as_nothing_delivered(tmp_path: Path, sent: str) -> None:
    journal = Journal(tmp_path)
    journal.append({"loss": 1.0}, step=1)
    (tmp_path / "delivered").write_text(sent)
    assert len(list(journal.undelivered())) == 1


def test_one_call_may_hold_more_than_a_batch(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append({f"m{index}": 0.0 for index in range(MAX_BATCH + 1)}, step=0)
    assert [len(entry.points) for entry in journal.undelivered()] == [MAX_BATCH, 1]


def test_the_lines_mirror_the_run_whoever_wrote_them(tmp_path: Path) -> None:
    ours, theirs = Journal(tmp_path), Journal(tmp_path)
    ours.write("start", {"experiment": "e", "name": "n", "tags": {"a": "1", "b": "2"}, "local_id": "0"}, 5)
    theirs.write("params", {"lr": "0.1"})
    theirs.write("tags", {"a": "3"})
    ours.write("untag", ["b"])
    file = {"sha256": "ab", "bytes": 1}
    theirs.write("artifact", {"file": "outbox/x/t.txt", "folder": "", "paths": {"t.txt": file}})
    theirs.append({"loss": 1.0}, step=3)
    ours.append({"loss": 9.0}, step=3)
    ours.write("created", "abc")
    ours.write("status", "FINISHED", 9)
    for mirror in (ours.mirror, theirs.mirror, Journal(tmp_path).mirror):
        assert (mirror.run_id, mirror.status, mirror.complete) == ("abc", "FINISHED", True)
        assert (mirror.params, mirror.tags, mirror.known) == ({"lr": "0.1"}, {"a": "3"}, {("loss", 3)})
        assert mirror.artifacts == {"t.txt": file}
        assert (mirror.start_time, mirror.end_time) == (5, 9)


def test_a_file_that_the_store_refused_is_none_that_the_run_has(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for name in ("kept.txt", "refused.txt"):
        paths = {name: {"sha256": "ab", "bytes": 1}}
        journal.write("artifact", {"file": f"outbox/x/{name}", "folder": "", "paths": paths})
    *_, last = journal.entries()
    journal.write("refused", last.begin)
    assert list(journal.mirror.artifacts) == ["kept.txt"]


def test_a_line_that_another_process_left_torn_is_cut_off_also_where_the_file_was_open(
    tmp_path: Path,
) -> None:
    journal = Journal(tmp_path)
    journal.append({"loss": 1.0}, step=1)
    with (tmp_path / "journal.jsonl").open("ab") as file:
        file.write(b'{"time": 1, "tags": {"a"')
    journal.append({"loss": 2.0}, step=2)
    assert values(Journal(tmp_path)) == [("loss", 1, 1.0), ("loss", 2, 2.0)]


def test_lines_of_several_threads_never_mix(tmp_path: Path) -> None:
    journal = Journal(tmp_path)

    def write(name: str) -> None:
        for step in range(200):
            journal.append({name: float(step)}, step)

    threads = [threading.Thread(target=write, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(values(Journal(tmp_path))) == [(name, step, step) for name in "abc" for step in range(200)]


def test_a_full_disk_is_told_and_leaves_whole_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(tmp_path)
    journal.append({"loss": 1.0}, step=1)
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, line: write(file, line[:7]))
    with pytest.raises(StoreError, match=r"room on the disk, got 7 bytes of a line of \d+\. Free space"):
        journal.append({"loss": 2.0}, step=2)
    monkeypatch.undo()
    journal.append({"loss": 3.0}, step=3)
    assert values(Journal(tmp_path)) == [("loss", 1, 1.0), ("loss", 3, 3.0)]


def test_a_device_without_room_is_told(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.path.unlink()
    journal.path.symlink_to("/dev/full")
    journal._file = os.open(journal.path, os.O_RDWR)
    with pytest.raises(StoreError, match=r"room on the disk, got No space left on device"):
        journal.append({"loss": 1.0}, step=1)


@pytest.mark.parametrize("name", ["", "a//b", "../loss", "a/./b", "loss%", "/loss", "loss/", "x" * 251])
def test_a_name_that_the_store_would_refuse_is_refused_before_it_is_written(
    tmp_path: Path, name: str
) -> None:
    journal = Journal(tmp_path)
    with pytest.raises(StoreError, match=r"metric .*: expected at most 250 letters.*Rename the metric"):
        journal.append({name: 1.0}, step=1)
    assert journal.points() == []


def test_a_line_of_another_hand_is_named(tmp_path: Path) -> None:
    (tmp_path / "journal.jsonl").write_text("hello\n")
    with pytest.raises(StoreError, match=r"journal.jsonl: expected lines that seedbed wrote, got 'hello'"):
        Journal(tmp_path)


def test_the_last_step_is_told_by_prefix(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append({"system/cpu": 1.0}, step=4)
    journal.append({"loss": 1.0}, step=9)
    assert journal.last_step("system/") == 4
    assert journal.last_step("other/") == -1


def test_a_closed_journal_opens_again(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append({"loss": 1.0}, step=1)
    journal.close()
    journal.append({"loss": 2.0}, step=2)
    assert len(journal.points()) == 2
