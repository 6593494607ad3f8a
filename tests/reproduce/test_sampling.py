"""Which runs of a study are re-run, what is refused, and what is told of them all."""

from pathlib import Path

import pytest

from seedbed.errors import ConfigError, StoreError
from seedbed.reproduce.rerun import Options
from seedbed.reproduce.sampling import check_run, check_study, drawn
from seedbed.verdict.members import Member


def member(name: str) -> Member:
    return Member(name, name, "0", "FINISHED", "", {}, {}, {})


STUDY, RUNS = member("study"), [member(f"run {place}") for place in range(5)]


def test_without_a_number_every_run_is_drawn() -> None:
    assert drawn(STUDY, RUNS, None) == RUNS


def test_a_sample_is_told_and_the_same_again_in_the_order_of_the_study(
    capsys: pytest.CaptureFixture[str],
) -> None:
    chosen = drawn(STUDY, RUNS, 3)
    assert capsys.readouterr().err == "3 of 5 finished runs, drawn with seed 0\n"
    assert chosen == drawn(STUDY, RUNS, 3) == sorted(chosen, key=RUNS.index)
    assert len(set(map(id, chosen))) == 3
    assert chosen != RUNS[:3]


@pytest.mark.parametrize(
    ("number", "sample", "told"),
    [
        (
            5,
            6,
            r"study study \(study\): expected 6 finished runs or more, got 5. .*, or a smaller --sample\.",
        ),
        (0, None, r"study study \(study\): expected 1 finished runs or more, got 0. Name another study\."),
    ],
)
def test_more_than_there_are_is_refused(number: int, sample: int | None, told: str) -> None:
    with pytest.raises(StoreError, match=told):
        drawn(STUDY, RUNS[:number], sample)


def test_an_option_without_effect_is_refused() -> None:
    with pytest.raises(ConfigError, match="--sample: expected a study, got a single run"):
        check_run(2, None)
    with pytest.raises(ConfigError, match="--out: expected a study, got a single run"):
        check_run(None, Path("table.csv"))
    with pytest.raises(ConfigError, match="--fresh-seed: expected a single run, got a study"):
        check_study(Options(fresh_seed=1))
