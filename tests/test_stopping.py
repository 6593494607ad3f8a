"""Real signals, sent to this process."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from seedbed.errors import Stopped
from seedbed.ranks.passing import passing_on
from seedbed.stopping import QUEUE_AGAIN, Stopping

NUM_LOOKS = 400
BOTH = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, QUEUE_AGAIN])


@pytest.fixture(autouse=True)
def _default() -> Iterator[None]:
    """One that has heard the signal to queue again ignores it from then on."""
    yield
    signal.signal(QUEUE_AGAIN, signal.SIG_DFL)


def stopped_by(work: Callable[[Stopping], None]) -> int:
    """Runs the work with signals listened to; the number of the signal that stopped it."""
    stopping = Stopping()

    def listening() -> None:
        with stopping.listening():
            work(stopping)

    with pytest.raises(Stopped) as stopped:
        listening()
    return stopped.value.signal_number


@BOTH
def test_a_signal_outside_a_fit_acts_at_once(number: int) -> None:
    assert stopped_by(lambda _: signal.raise_signal(number)) == number


@BOTH
def test_a_signal_inside_a_step_waits_for_its_end(number: int) -> None:
    done = []

    def work(stopping: Stopping) -> None:
        with stopping.deferred():
            signal.raise_signal(number)
            done.append("step")
            stopping.check()
            done.append("next step")

    assert stopped_by(work) == number
    assert done == ["step"]


def test_a_signal_in_the_last_step_is_not_forgotten() -> None:
    def work(stopping: Stopping) -> None:
        with stopping.deferred():
            signal.raise_signal(signal.SIGTERM)

    assert stopped_by(work) == signal.SIGTERM


def test_a_second_signal_stops_at_once() -> None:
    done = []

    def work(stopping: Stopping) -> None:
        with stopping.deferred():
            signal.raise_signal(signal.SIGINT)
            done.append("step")
            signal.raise_signal(signal.SIGINT)
            done.append("rest of the step")

    assert stopped_by(work) == signal.SIGINT
    assert done == ["step"]


def test_the_signal_to_queue_again_says_nothing_new_the_second_time() -> None:
    done = []

    def work(stopping: Stopping) -> None:
        with stopping.deferred():
            signal.raise_signal(QUEUE_AGAIN)
            signal.raise_signal(QUEUE_AGAIN)
            done.append("rest of the step")

    assert stopped_by(work) == QUEUE_AGAIN
    assert done == ["rest of the step"]


def test_a_process_on_its_way_out_does_not_die_of_the_signal_to_queue_again() -> None:
    assert stopped_by(lambda _: signal.raise_signal(QUEUE_AGAIN)) == QUEUE_AGAIN
    signal.raise_signal(QUEUE_AGAIN)
    assert signal.getsignal(QUEUE_AGAIN) == signal.SIG_IGN


def test_a_rank_that_stopped_because_another_was_told_is_not_disturbed_when_it_is_told_itself() -> None:
    done = []

    def work(stopping: Stopping) -> None:
        try:
            stopping.check(lambda _: QUEUE_AGAIN)
        finally:
            signal.raise_signal(QUEUE_AGAIN)
            done.append("saved")

    assert stopped_by(work) == QUEUE_AGAIN
    signal.raise_signal(QUEUE_AGAIN)
    assert done == ["saved"]


def test_one_that_was_not_told_to_queue_again_hears_it_by_default_afterwards() -> None:
    with Stopping().listening():
        pass
    assert signal.getsignal(QUEUE_AGAIN) == signal.SIG_DFL


def test_a_signal_that_came_before_anybody_listened_is_heard_then() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, {QUEUE_AGAIN})
    signal.raise_signal(QUEUE_AGAIN)
    assert stopped_by(lambda _: None) == QUEUE_AGAIN


def test_the_signal_is_passed_on_to_ranks_that_started_with_it_blocked_and_to_no_other_child() -> None:
    wait = f"import signal; print('up', flush=True); print(signal.sigwait([{int(QUEUE_AGAIN)}]), flush=True)"
    idle = "import signal; signal.pthread_sigmask(signal.SIG_SETMASK, []); print('up', flush=True); input()"
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with (
        passing_on("a.rank"),
        subprocess.Popen([sys.executable, "-c", wait, "a.rank"], **pipes) as child,
        subprocess.Popen([sys.executable, "-c", idle], **pipes) as other,
    ):
        assert child.stdout is not None
        assert other.stdout is not None
        assert [child.stdout.readline(), other.stdout.readline()] == ["up\n", "up\n"]
        os.kill(os.getpid(), QUEUE_AGAIN)
        for _ in range(NUM_LOOKS):  # as torch's launcher does: a handler acts between two steps of Python
            if child.poll() is None:
                time.sleep(0.05)
        child.kill()  # nothing, where it has ended
        assert child.stdout.read() == f"{int(QUEUE_AGAIN)}\n"
        assert other.poll() is None
        other.communicate("\n")
    assert other.returncode == 0
    assert QUEUE_AGAIN not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def test_the_former_handlers_come_back() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with Stopping().listening():
        assert signal.getsignal(signal.SIGINT) not in before
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
