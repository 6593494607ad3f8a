"""A disk that is full: what can wait goes on, what cannot stops and says so, and nothing is lost.

The disk is a tmpfs of a few MiB, which takes root to mount: as another user, run
`unshare --map-root-user --mount pytest tests/test_disk_full.py`.
"""

import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from seedbed.classifier import Classifier
from seedbed.errors import StoreError
from seedbed.job import Job
from seedbed.train import run
from tests.conftest import MakeJob
from tests.kills import only_run
from tests.traces import COMMON, NUM_STEPS, SETTINGS, Undisturbed, assert_same, client_of, folder, tags, trace
from tests.traces import undisturbed as undisturbed  # a fixture

MIB, PAGE = 1 << 20, 4096
Mount = Callable[[Path], Path]
Act = Callable[[], None]


@pytest.fixture
def mount() -> Iterator[Mount]:
    """Mounts a small disk on a folder."""
    mounted: list[Path] = []

    def at(path: Path) -> Path:
        path.mkdir(parents=True)
        command = ["mount", "-t", "tmpfs", "-o", f"size={16 * MIB}", "none", str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"mounting a tmpfs needs root: {done.stderr.strip()}")
        mounted.append(path)
        return path

    yield at
    for path in mounted:
        subprocess.run(["umount", "--lazy", str(path)], check=True)


def fill(disk: Path) -> None:
    """Leaves no byte."""
    with suppress(OSError), (disk / "filling").open("ab", buffering=0) as file:
        while True:
            file.write(bytes(PAGE))


def free(disk: Path) -> None:
    (disk / "filling").unlink()


def before_steps(acts: dict[int, Act], monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets these happen just before these steps of the next run."""
    step, count = Classifier.step, 0

    def counted(self: Classifier, *arguments: Any) -> None:
        nonlocal count
        count += 1
        acts.get(count, lambda: None)()
        step(self, *arguments)

    monkeypatch.setattr(Classifier, "step", counted)


def pad_journal(job: Job) -> None:
    """Lets the next line need a new page of the disk: a line without a metric takes the rest of the last."""
    path = folder(job, only_run(job)) / "journal.jsonl"
    line = b'{"time": 1, "step": 0, "metrics": {}}\n'
    with path.open("ab") as file:
        file.write(line.rjust((-path.stat().st_size - len(line)) % PAGE + len(line)))


def test_a_checkpoint_inside_an_epoch_may_fail(
    make_job: MakeJob,
    undisturbed: Undisturbed,
    mount: Mount,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    job = make_job(*SETTINGS["softmax"], *COMMON, "trainer.checkpoint_every_steps=4")
    disk = mount(tmp_path / "mlruns" / "runs")
    before_steps({NUM_STEPS + 5: lambda: fill(disk), NUM_STEPS + 13: lambda: free(disk)}, monkeypatch)
    run_id = run(job).run_id
    told = (
        f"2 checkpoints failed, at step 28: {folder(job, run_id)}/last.ckpt: "
        "expected room on the disk, got No space left on device. Free space, then go on: "
    )
    assert [line for line in capsys.readouterr().err.splitlines() if line.startswith(told)]
    assert tags(job, run_id)["seedbed.checkpoint_failed"].startswith(told)
    assert told in tags(job, run_id)["mlflow.note.content"]
    assert_same(trace(job, run_id), undisturbed("softmax"))


LAST, LINE = (
    "/last.ckpt: expected room on the disk, got No space",
    "/journal.jsonl: expected room on the disk",
)
DELIVERY = "metrics: expected a store that takes it, got .*database or disk is full"


@pytest.mark.parametrize(
    ("disk_of", "at_the_line", "told"),
    [("runs", False, LAST), ("runs", True, LINE), (".", True, LINE), (".", False, DELIVERY)],
    ids=["checkpoint", "journal", "journal of a full store", "full store"],
)
def test_an_epoch_whose_end_cannot_be_written_stops_the_run_until_there_is_room(
    make_job: MakeJob,
    undisturbed: Undisturbed,
    mount: Mount,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    disk_of: str,
    at_the_line: bool,
    told: str,
) -> None:
    """Where the whole store is on that disk, what was kept back of it lets the record say so."""
    job = make_job(*SETTINGS["softmax"], *COMMON, "trainer.checkpoint_every_steps=4")
    disk = mount(tmp_path / "mlruns" / disk_of)

    def fill_up() -> None:
        if at_the_line:
            pad_journal(job)
        fill(disk)

    before_steps({NUM_STEPS * 2 - 1: fill_up}, monkeypatch)
    with pytest.raises(StoreError, match=told):
        run(job)
    run_id = only_run(job)
    assert list(folder(job, run_id).glob("*.partial")) == []
    assert client_of(job).get_run(run_id).info.status == "FAILED"
    assert re.search(told, tags(job, run_id)["seedbed.error"])
    free(disk)
    run(job, run_id)
    assert tags(job, run_id)["seedbed.resumed"].startswith("1: after epoch 1 of 3 and 14 steps on ")
    got = trace(job, run_id)
    assert_same(got._replace(artifacts=got.artifacts - {"error.txt"}), undisturbed("softmax"))
