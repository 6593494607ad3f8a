"""Jobs trained as one stack, each with its own record and its own ending."""

import signal
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from seedbed.errors import Stopped
from seedbed.growing import Outcome, quiet
from seedbed.job import Job
from seedbed.stack.cutting import stacks_of
from seedbed.stack.member import Life, Member, life
from seedbed.stack.training import Ending, Stack
from seedbed.stopping import Stopping
from seedbed.track.load import Load
from seedbed.track.provenance import provenance

# How a job ended: its number, what it died of, else what it left.
Ended = tuple[int, BaseException | None, Outcome | None]


def together(jobs: Sequence[Job], *, shares: bool) -> Generator[Ended]:
    """Makes a run of each job, all at once; says of each how it ended, in the order in which they do.

    Args:
        jobs: of one kind, as `sorting.sort` puts them together.
        shares: whether all see the same batches.

    Raises:
        Stopped: where a signal ended them all; their records are KILLED, and each can go on.
    """
    stopping, lives = Stopping(), dict[int, Life]()
    with stopping.listening(), quiet():
        try:
            yield from _grown(jobs, lives, shares, stopping)
        except Exception as error:  # noqa: BLE001 - what ends the stack ends each member that lives
            for number in list(lives):
                yield _ended(number, lives.pop(number), error)
        except BaseException as error:
            # A signal; or nobody waits for the others any more, which is the same to them.
            _stopped(lives, error if isinstance(error, Stopped) else Stopped(signal.SIGTERM))
            raise


def _grown(jobs: Sequence[Job], lives: dict[int, Life], shares: bool, stopping: Stopping) -> Iterator[Ended]:
    """The jobs from beginning to end; `lives` holds those that have begun and not ended."""
    members, origin = list[Member](), provenance(Path.cwd())
    for number, job in enumerate(jobs):
        lives[number] = life(job, stopping, len(jobs), origin)
        try:
            members.append(Member(number, next(lives[number])))
        except Exception as error:  # noqa: BLE001 - whatever a job died of is told, not handled
            del lives[number]
            yield number, error, None
    if not members:
        return
    stacks = stacks_of(members, shares=shares, stopping=stopping)
    with _sampled(members), stopping.deferred():
        for member, ending in _trained(stacks, jobs[0].config["trainer"]["max_epochs"]):
            yield _ended(member.number, lives.pop(member.number), ending)
    for member in members:
        if member.number in lives:
            yield _ended(member.number, lives.pop(member.number))


def _trained(stacks: Sequence[Stack], num_epochs: int) -> Iterator[Ending]:
    """Stacks side by side through all epochs; the members that end early, with what ended them."""
    for stack in stacks:
        stack.begin()
    for epoch in range(num_epochs):
        for stack in stacks:
            if stack.members:
                yield from stack.train(epoch)
    for stack in stacks:
        for member in stack.members:
            member.end()
        stack.release()


def _ended(number: int, living: Life, error: BaseException | None = None) -> Ended:
    """Lets a life go to its end, by an error or well."""
    try:
        if error is None:
            next(living)
        else:
            living.throw(error)
    except StopIteration as end:
        return number, None, end.value
    except Exception as died:  # noqa: BLE001 - whatever a job died of is told, not handled
        return number, died, None
    raise AssertionError("a life hands out its parts once")


def _stopped(lives: dict[int, Life], error: Stopped) -> None:
    """Lets every life end by a signal: saved by then, and to go on another time."""
    for living in lives.values():
        with suppress(Stopped):
            living.throw(error)


@contextmanager
def _sampled(members: Sequence[Member]) -> Iterator[None]:
    """Notes the machine's load on every record, from one thread."""
    records = [member.parts.plot.record for member in members if member.parts.plot.record is not None]
    if not members[0].parts.plot.job.config["track"]["system_metrics"]:
        yield
        return

    def log(metrics: Mapping[str, float], step: int) -> None:
        for record in records:
            record.log_metrics(metrics, step)

    load = Load(log)
    try:
        yield
    finally:
        load.stop()
