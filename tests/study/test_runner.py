"""What becomes of jobs whose record cannot tell how they died; the launcher is a stand-in, the store real."""

from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path

import pytest

from seedbed.errors import TrainingError
from seedbed.job import Job
from seedbed.launch.launcher import Hear, Launcher
from seedbed.launch.task import Ended
from seedbed.study.plan import Planned, Setting
from seedbed.study.progress import StudyProgress
from seedbed.study.runner import Runner
from seedbed.track.record import Record
from seedbed.track.store import Store

SETTING = Setting("mlp", {"model": "mlp"}, "0123")
JOB = Job({"seed": 7, "streams": {}, "track": {}}, {"model": "mlp"}, {}, "seedbed train -m")
PLANNED = Planned(SETTING, "mlp s0", {"model": "mlp", "seed": "7"}, "abcd", JOB)


@pytest.fixture
def parent(tmp_path: Path) -> Iterator[Record]:
    tags = {"seedbed.kind": "study", "seedbed.code_digest": "c0de"}
    record = Record.start(Store.open(tmp_path), experiment="seedbed", name="study", params={}, tags=tags)
    yield record
    record.finish("FINISHED")


Die = Callable[[int], Exception | None]


class StandIn(Launcher):
    """Jobs that end as they are told to."""

    num_parallel = 2

    def __init__(self, die: Die) -> None:
        super().__init__({})
        self.die = die

    def launch(self, jobs: Sequence[Job], folder: Path, hear: Hear) -> Generator[Ended]:
        del folder, hear
        for number in range(len(jobs)):
            if not self._held:
                yield Ended(number, self.die(number))


def runner(parent: Record, die: Die, max_failures: int | None = None) -> Runner:
    progress = StudyProgress(1, None)
    return Runner(StandIn(die), parent, max_failures=max_failures, progress=progress, say=print)


def test_a_job_that_died_before_its_record_gets_one_that_says_why(parent: Record) -> None:
    made = runner(parent, lambda _: MemoryError("no room"))
    (member,) = made.run([PLANNED])
    assert (member.status, member.tags["seedbed.error"]) == ("FAILED", "MemoryError: no room")
    assert member.tags["seedbed.signature"] == PLANNED.signature
    assert member.tags["seedbed.code_digest"] == "c0de"
    assert list(made.failed) == ["mlp s0"]


def test_a_job_that_died_with_its_record_open_has_it_closed(parent: Record) -> None:
    def die(number: int) -> Exception:
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
        return OSError("killed")

    (member,) = runner(parent, die).run([PLANNED])
    assert (member.status, member.tags["seedbed.error"]) == ("FAILED", "OSError: killed")


def test_a_run_that_a_wave_names_twice_is_made_once(parent: Record) -> None:
    launched: list[int] = []

    def die(number: int) -> Exception:
        launched.append(number)
        return MemoryError("no room")

    found = runner(parent, die).run([PLANNED, PLANNED])
    assert launched == [0]
    assert [member.run_id for member in found] == [found[0].run_id] * 2


def test_a_run_that_ended_well_without_a_record_is_a_fault_of_ours(parent: Record) -> None:
    made = runner(parent, lambda _: None)
    with pytest.raises(AssertionError, match="mlp s0 ended well and is not on record"):
        made.run([PLANNED])


def test_no_more_are_started_once_too_many_have_failed(parent: Record) -> None:
    made = runner(parent, lambda _: MemoryError("no room"), max_failures=0)
    with pytest.raises(TrainingError, match=r"at most study\.max_failures=0 failed runs, got 1 \(mlp s0\)"):
        made.run([PLANNED, PLANNED._replace(name="mlp s1", signature="efgh")])
