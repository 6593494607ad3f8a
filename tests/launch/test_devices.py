"""No GPU is lent twice, whoever asks; stand-in names, because a lock needs no GPU."""

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from seedbed.launch.devices import VISIBLE, claimed, num_wanted, visible


@pytest.fixture(autouse=True)
def _two_gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VISIBLE, "a,b")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def test_a_gpu_that_is_lent_is_not_lent_again_until_it_is_given_back() -> None:
    one, other = claimed(1), claimed(1)
    assert one is not None
    assert other is not None
    assert {*one.gpus, *other.gpus} == {"a", "b"}
    assert claimed(1) is None
    other.release()
    again = claimed(1)
    assert again is not None
    assert again.gpus == other.gpus
    assert again.variables() == {VISIBLE: other.gpus[0]}
    for claim in (one, again):
        claim.release()


def test_of_two_gpus_together_none_is_taken_while_one_is_lent() -> None:
    one = claimed(1)
    assert one is not None
    assert claimed(2) is None
    other = claimed(1)
    assert other is not None, "what was found too little is given back"
    for claim in (one, other):
        claim.release()


def test_a_gpu_stays_lent_as_long_as_the_process_lives_that_was_given_it() -> None:
    claim = claimed(2)
    assert claim is not None
    with subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=claim.files
    ) as child:
        claim.release()
        assert claimed(1) is None
        child.communicate(b"\n")
    free = claimed(2)
    assert free is not None
    free.release()


@pytest.mark.parametrize(
    ("trainer", "number"),
    [
        ({"accelerator": "cpu", "devices": 1}, 0),
        ({"accelerator": "auto", "devices": 1}, 1),
        ({"accelerator": "gpu", "devices": 3}, 2),
    ],
)
def test_a_run_takes_a_gpu_a_process_as_far_as_there_are(trainer: dict[str, object], number: int) -> None:
    assert num_wanted(trainer) == number


def test_an_empty_list_of_gpus_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VISIBLE, "")
    assert visible() == []
    claim = claimed(0)
    assert claim is not None
    assert claim.variables() == {}
