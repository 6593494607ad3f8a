"""Real signals, sent to this process."""

import signal
from collections.abc import Callable

import pytest

from seedbed.errors import Stopped
from seedbed.stopping import Stopping

BOTH = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])


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


def test_the_former_handlers_come_back() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with Stopping().listening():
        assert signal.getsignal(signal.SIGINT) not in before
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
