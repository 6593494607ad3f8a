"""One shape for every message a user sees: what, expected, got, do this."""

from functools import partial
from typing import Any


class SeedbedError(Exception):
    """Something the user can mend, told in one paragraph.

    Args:
        what: the full key or file that is wrong.
        expected: what would have been right; sets list their members.
        got: what was found instead.
        do: the next thing to type or to change.
    """

    def __init__(self, what: str, *, expected: str, got: str, do: str) -> None:
        super().__init__(what, expected, got, do)
        self.what, self.expected, self.got, self.do = what, expected, got, do

    def __str__(self) -> str:
        return f"{self.what}: expected {self.expected}, got {self.got}. {self.do}"

    def __reduce__(self) -> tuple[Any, ...]:
        # An error of a job in another process is pickled on its way to the one who started it.
        return partial(type(self), expected=self.expected, got=self.got, do=self.do), (self.what,)


class ConfigError(SeedbedError):
    """A key or value of the configuration that cannot work; raised before the first batch."""


class DataError(SeedbedError):
    """A data file that is missing or broken, or content that no classifier can learn from."""


class TrainingError(SeedbedError):
    """A run that cannot go on, such as a loss that is no longer a number."""


class PictureError(SeedbedError):
    """A picture that would mislead, or that needs what is not installed; the run it is of is sound."""


class StoreError(SeedbedError):
    """A record store that cannot be opened, read or written."""


class AwayError(StoreError):
    """A record store that cannot be reached now, and may be later: nothing is wrong with what it was sent."""


class SubmissionError(StoreError):
    """Jobs that a cluster's scheduler does not take; none of them is on record."""


class Stopped(BaseException):
    """A signal asked the run to end; not an Exception, so that no job loop swallows it."""

    def __init__(self, signal_number: int) -> None:
        super().__init__(signal_number)
        self.signal_number = signal_number


class Detached(Stopped):
    """A signal ended the waiting for jobs that go on without it.

    Args:
        signal_number: the signal's.
        told: where they are, and what to type next.
    """

    def __init__(self, signal_number: int, told: str) -> None:
        super().__init__(signal_number)
        self.told = told


class Pruned(BaseException):
    """A search ended the run early: no failure, and nothing that a job loop may swallow.

    Args:
        epoch: the last whole epoch, from 1.
        why: one line, for the record.
    """

    def __init__(self, epoch: int, why: str) -> None:
        super().__init__(epoch, why)
        self.epoch, self.why = epoch, why
