"""What becomes of jobs whose record cannot tell how they died; the launcher is a stand-in, the store real."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hydra.core.utils import JobReturn, JobStatus

from seedbed.study.plan import Planned, Setting
from seedbed.study.progress import StudyProgress
from seedbed.study.runner import Launch, Runner
from seedbed.track.record import Record
from seedbed.track.store import Store

SETTING = Setting("mlp", {"model": "mlp"}, "0123")
PLANNED = Planned(SETTING, "mlp s0", {"model": "mlp", "seed": "7"}, "abcd")


@pytest.fixture
def parent(tmp_path: Path) -> Iterator[Record]:
    tags = {"seedbed.kind": "study", "seedbed.code_digest": "c0de"}
    record = Record.start(Store.open(tmp_path), experiment="seedbed", name="study", params={}, tags=tags)
    yield record
    record.finish("FINISHED")


def runner(parent: Record, launch: Launch) -> Runner:
    progress = StudyProgress(1, None)
    return Runner(launch, parent, num_parallel=1, max_failures=None, progress=progress, say=print)


def died(error: Exception) -> JobReturn:
    return JobReturn(_return_value=error, status=JobStatus.FAILED)


def test_a_job_that_died_before_its_record_gets_one_that_says_why(parent: Record) -> None:
    made = runner(parent, lambda *_: [died(MemoryError("no room"))])
    (member,) = made.run([PLANNED])
    assert (member.status, member.tags["seedbed.error"]) == ("FAILED", "MemoryError: no room")
    assert member.tags["seedbed.signature"] == PLANNED.signature
    assert member.tags["seedbed.code_digest"] == "c0de"
    assert list(made.failed) == ["mlp s0"]


def test_a_job_that_died_with_its_record_open_has_it_closed(parent: Record) -> None:
    def launch(jobs: Sequence[Sequence[str]], first: int) -> Sequence[JobReturn]:
        record = Record.start(
            parent.store,
            experiment="seedbed",
            name="mlp s0",
            params={"seed": 7},
            tags={"seedbed.signature": PLANNED.signature},
            parent_run_id=parent.run_id,
        )
        assert record._hold is not None
        record._hold.release(forget=False)  # as the system does for a process that is gone
        return [died(OSError("killed"))]

    (member,) = runner(parent, launch).run([PLANNED])
    assert (member.status, member.tags["seedbed.error"]) == ("FAILED", "OSError: killed")


def test_a_run_that_a_wave_names_twice_is_made_once(parent: Record) -> None:
    launched: list[int] = []

    def launch(jobs: Sequence[Sequence[str]], first: int) -> Sequence[JobReturn]:
        launched.append(len(jobs))
        return [died(MemoryError("no room")) for _ in jobs]

    found = runner(parent, launch).run([PLANNED, PLANNED])
    assert launched == [1]
    assert [member.run_id for member in found] == [found[0].run_id] * 2


def test_a_run_that_ended_well_without_a_record_is_a_fault_of_ours(parent: Record) -> None:
    made = runner(parent, lambda *_: [JobReturn(_return_value={}, status=JobStatus.COMPLETED)])
    with pytest.raises(AssertionError, match="mlp s0 ended well and is not on record"):
        made.run([PLANNED])
