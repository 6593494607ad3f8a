"""Every message says what, expected, got, do this, and survives the way home from another process."""

import copy
import pickle
from collections.abc import Callable

import pytest

from seedbed.errors import (
    ConfigError,
    DataError,
    Pruned,
    SeedbedError,
    Stopped,
    StoreError,
    TrainingError,
)


def made(kind: type[SeedbedError]) -> SeedbedError:
    return kind("data.root", expected="a folder", got="'nowhere'", do="Set data.root.")


@pytest.mark.parametrize("kind", [ConfigError, DataError, StoreError, TrainingError])
def test_a_message_is_one_paragraph_of_four_parts(kind: type[SeedbedError]) -> None:
    assert str(made(kind)) == "data.root: expected a folder, got 'nowhere'. Set data.root."


@pytest.mark.parametrize("kind", [ConfigError, DataError, StoreError, TrainingError])
@pytest.mark.parametrize("copied", [copy.copy, lambda error: pickle.loads(pickle.dumps(error))])  # noqa: S301
def test_an_error_survives_a_process_boundary(
    kind: type[SeedbedError], copied: Callable[[SeedbedError], SeedbedError]
) -> None:
    twin = copied(made(kind))
    assert type(twin) is kind
    assert str(twin) == str(made(kind))
    assert (twin.what, twin.expected, twin.got, twin.do) == (
        "data.root",
        "a folder",
        "'nowhere'",
        "Set data.root.",
    )


def test_a_signal_is_no_error_that_a_job_loop_may_swallow() -> None:
    assert not isinstance(Stopped(15), Exception)
    assert pickle.loads(pickle.dumps(Stopped(15))).signal_number == 15  # noqa: S301


def test_being_pruned_is_no_error_that_a_job_loop_may_swallow() -> None:
    assert not isinstance(Pruned(3, "hopeless"), Exception)
    twin = pickle.loads(pickle.dumps(Pruned(3, "hopeless")))  # noqa: S301
    assert (twin.epoch, twin.why) == (3, "hopeless")
