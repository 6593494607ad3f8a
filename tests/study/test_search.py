"""A search proposes the same settings whether it was stopped or not, and keeps its state in one file."""

from pathlib import Path

import pytest
from hydra.core.override_parser.types import Override

from seedbed.errors import ConfigError
from seedbed.study.search import SAMPLERS, Search, Trial
from seedbed.study.space import parsed
from seedbed.trial import JOURNAL

NUM_TRIALS = 14
WORDS = (
    "optimizer.lr=tag(log,interval(0.0001,0.1))",
    "data.crop_padding=int(interval(0,3))",
    "width=range(4,9,2)",
)


def swept(*more: str) -> dict[str, Override]:
    return parsed({}, [*WORDS, *more], None).swept


def opened(folder: Path, sampler: str) -> Search:
    objectives = ["best_val/loss", "best_val/accuracy"] if sampler == "nsga2" else ["best_val/loss"]
    more = () if sampler == "cma_es" else ("model=softmax,mlp",)
    return Search(folder, "study", swept(*more), sampler=sampler, objectives=objectives, seed=3)


def tell(search: Search, trial: Trial) -> None:
    value = float(trial.overrides["optimizer.lr"]) + int(trial.overrides["width"])
    search.tell(trial.number, [value] * len(search.objectives))


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_search_that_is_stopped_proposes_what_it_would_have_proposed(tmp_path: Path, sampler: str) -> None:
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    for folder, stops in ((whole, ()), (stopped, (3, 7, 12))):
        folder.mkdir()
        search = opened(folder, sampler)
        for number in range(NUM_TRIALS):
            if number in stops:
                search = opened(folder, sampler)
            tell(search, search.ask())
    assert opened(whole, sampler).as_csv() == opened(stopped, sampler).as_csv()
    assert len({str(trial.user_attrs) for trial in opened(whole, sampler).trials}) > NUM_TRIALS / 2


def test_a_setting_that_was_proposed_and_not_told_waits(tmp_path: Path) -> None:
    asked = opened(tmp_path, "tpe").ask()
    again = opened(tmp_path, "tpe")
    assert again.waiting() == [asked]
    tell(again, asked)
    assert opened(tmp_path, "tpe").waiting() == []


def test_what_a_killed_process_left_of_a_line_is_cut_off(tmp_path: Path) -> None:
    first = opened(tmp_path, "tpe")
    tell(first, first.ask())
    with (tmp_path / JOURNAL).open("ab") as file:
        file.write(b'{"op_code": 4, "worker')
    (tmp_path / f"{JOURNAL}.lock").touch()
    again = opened(tmp_path, "tpe")
    tell(again, again.ask())
    assert len(opened(tmp_path, "tpe").trials) == 2


def test_the_best_come_first_and_failures_and_pruned_ones_not_at_all(tmp_path: Path) -> None:
    search = opened(tmp_path, "random")
    trials = [search.ask() for _ in range(5)]
    search.tell(trials[0].number, [0.5])
    search.tell(trials[1].number, [0.1])
    search.tell(trials[2].number, None)
    search.tell(trials[3].number, [float("nan")])
    search.tell(trials[4].number, None, pruned=True)
    assert search.best() == [trials[1], trials[0]]
    states = [line.split(",")[1] for line in search.as_csv().splitlines()[1:]]
    assert states == ["COMPLETE", "COMPLETE", "FAIL", "FAIL", "PRUNED"]


def test_with_two_objectives_the_best_are_those_that_no_other_beats(tmp_path: Path) -> None:
    search = opened(tmp_path, "nsga2")
    trials = [search.ask() for _ in range(3)]
    for trial, values in zip(trials, ([0.1, 0.5], [0.2, 0.9], [0.3, 0.8]), strict=True):  # loss, accuracy
        search.tell(trial.number, values)
    assert search.best() == [trials[0], trials[1]]


REFUSED = [
    ("tpee", ["best_val/loss"], (), r"^study\.sampler: expected one of quasi_random, random, .* got tpee"),
    (
        "cma_es",
        ["best_val/loss"],
        ("model=mlp,cnn",),
        r"^model: expected numbers .* got a list\. Use study=tpe",
    ),
    ("cma_es", ["best_val/loss", "val/loss"], (), r"^study\.objectives: expected one with cma_es, got 2"),
]


@pytest.mark.parametrize(("sampler", "objectives", "more", "told"), REFUSED)
def test_what_cannot_be_searched_is_refused(
    tmp_path: Path, sampler: str, objectives: list[str], more: tuple[str, ...], told: str
) -> None:
    with pytest.raises(ConfigError, match=told):
        Search(tmp_path, "study", swept(*more), sampler=sampler, objectives=objectives, seed=0)


def test_a_search_without_a_range_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"^study: expected keys with a range to search, got none\. Add one"
    ):
        Search(tmp_path, "study", {}, sampler="tpe", objectives=["best_val/loss"], seed=0)
