"""Sweep words: what a grid lists, what a search draws from, and where ranges end."""

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from seedbed.errors import ConfigError
from seedbed.study.space import distribution, parsed, typed, values


def test_a_typed_key_replaces_the_one_that_the_study_brings() -> None:
    space = parsed({"optimizer.lr": "0.1,0.2", "model": "mlp,cnn"}, ["optimizer.lr=0.5"], None)
    assert space.fixed == {"optimizer.lr": "0.5"}
    assert list(space.swept) == ["model"]


def test_seeds_and_pinned_streams_are_no_part_of_a_setting() -> None:
    space = parsed({}, ["seed=range(0,3)", "streams.init=4,5", "model=mlp,cnn"], None)
    assert space.seeds == {"seed": ["0", "1", "2"], "streams.init": ["4", "5"]}
    assert list(space.swept) == ["model"]


LISTED = [
    ("range(0,3)", ["0", "1", "2"]),
    ("range(0,10,4)", ["0", "4", "8"]),
    ("range(3,0,-1)", ["3", "2", "1"]),
    ("range(0,1,0.25)", ["0.0", "0.25", "0.5", "0.75"]),
    ("choice(relu,tanh)", ["relu", "tanh"]),
    ("[64],[128,64]", ["[64]", "[128,64]"]),
]


@pytest.mark.parametrize(("words", "expected"), LISTED)
def test_a_list_or_range_gives_its_values_without_the_range_s_end(words: str, expected: list[str]) -> None:
    (override,) = parsed({}, [f"x={words}"], None).swept.values()
    assert values("x", override) == expected


DRAWN = [
    ("range(0,3)", IntDistribution(0, 2)),
    ("range(0,10,4)", IntDistribution(0, 8, step=4)),
    ("range(3,0,-1)", IntDistribution(1, 3)),
    ("range(0,1,0.25)", FloatDistribution(0.0, 0.75, step=0.25)),
    ("interval(0.5,2)", FloatDistribution(0.5, 2.0)),
    ("int(interval(1,8))", IntDistribution(1, 8)),
    ("tag(log,interval(0.001,0.1))", FloatDistribution(0.001, 0.1, log=True)),
    ("tag(log,int(interval(1,64)))", IntDistribution(1, 64, log=True)),
    ("[64],[128,64]", CategoricalDistribution(["[64]", "[128,64]"])),
]


@pytest.mark.parametrize(("words", "expected"), DRAWN)
def test_a_search_draws_within_the_stated_ends(words: str, expected: object) -> None:
    (override,) = parsed({}, [f"x={words}"], None).swept.values()
    assert distribution("x", override) == expected


def test_a_drawn_number_has_four_digits_and_stays_within_its_ends() -> None:
    narrow = FloatDistribution(0.12344, 0.12346)
    assert typed(narrow, 0.12344999) == "0.12344"  # rounding alone would leave the interval
    assert typed(narrow, 0.12346) == "0.12346"
    assert typed(IntDistribution(1, 8), 3) == "3"
    assert typed(CategoricalDistribution(["[64]"]), "[64]") == "[64]"


REFUSED = [
    ("tag(log,interval(0,1))", r"^x: expected interval\(LOW,HIGH\) .* both above 0 on a log scale, got tag"),
    ("interval(1,1)", r"^x: expected interval\(LOW,HIGH\) with LOW below HIGH, got interval\(1,1\)"),
    ("range(3,3)", r"^x: expected at least one value, got range\(3,3\), which has none"),
]


@pytest.mark.parametrize(("words", "told"), REFUSED)
def test_an_impossible_range_is_refused(words: str, told: str) -> None:
    (override,) = parsed({}, [f"x={words}"], None).swept.values()
    with pytest.raises(ConfigError, match=told):
        distribution("x", override)


def test_a_grid_refuses_an_interval_and_names_the_searches() -> None:
    (override,) = parsed({}, ["x=interval(0,1)"], None).swept.values()
    told = r"^x: expected a list .* got interval\(0,1\)\. .* study=quasi_random \(exploration\) or study=tpe"
    with pytest.raises(ConfigError, match=told):
        values("x", override)


def test_an_empty_range_in_a_grid_is_refused() -> None:
    (override,) = parsed({}, ["x=range(2,2)"], None).swept.values()
    with pytest.raises(ConfigError, match="range\\(0,3\\) gives 0, 1, 2: its end is excluded"):
        values("x", override)
