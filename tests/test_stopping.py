"""Real signals, sent to this process."""

import signal

import pytest

from seedbed.errors import Stopped
from seedbed.stopping import Stopping

BOTH = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])


@BOTH
def test_a_signal_outside_a_fit_acts_at_once(number: int) -> None:
    with pytest.raises(Stopped) as stopped, Stopping().listening():
        signal.raise_signal(number)
    assert stopped.value.signal_number == number


@BOTH
def test_a_signal_inside_a_step_waits_for_its_end(number: int) -> None:
    stopping, done = Stopping(), []
    with pytest.raises(Stopped), stopping.listening(), stopping.deferred():
        signal.raise_signal(number)
        done.append("step")
        stopping.check()
        done.append("next step")
    assert done == ["step"]


def test_a_signal_in_the_last_step_is_not_forgotten() -> None:
    stopping = Stopping()
    with pytest.raises(Stopped), stopping.listening(), stopping.deferred():
        signal.raise_signal(signal.SIGTERM)


def test_a_second_signal_stops_at_once() -> None:
    stopping, done = Stopping(), []
    with pytest.raises(Stopped), stopping.listening(), stopping.deferred():
        signal.raise_signal(signal.SIGINT)
        done.append("step")
        signal.raise_signal(signal.SIGINT)
        done.append("rest of the step")
    assert done == ["step"]


def test_the_former_handlers_come_back() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with Stopping().listening():
        assert signal.getsignal(signal.SIGINT) not in before
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
