"""A search rebuilt from its table: scales, states, directions."""

import math

import pytest

from seedbed.report import search_drawing
from seedbed.report.searched import Search, distribution, lower_is_better, read

TRIALS = """number,state,val/score,params.a,params.b
0,COMPLETE,0.5,0.1,16
1,PRUNED,,0.2,8
2,COMPLETE,0.7,0.4,128
"""


def tried(space: str, *values: str) -> Search:
    numbers = range(len(values))
    states = ["COMPLETE"] * len(values)
    return Search(["loss"], list(numbers), states, [[0.0] * len(values)], {"k": values}, {"k": space})


@pytest.mark.parametrize(
    ("space", "values", "expected"),
    [
        ("interval(0.1, 1)", ("0.5",), (0.1, 1.0, False)),
        ("tag(log, interval(0.0001, 0.1))", ("0.5",), (0.0001, 0.1, True)),
        ("int(interval(1, 8))", ("2", "5"), (1.0, 8.0, False)),
        ("range(1, 9, 2)", ("3", "7"), (3.0, 7.0, False)),
    ],
)
def test_what_is_numbers_has_an_axis_of_numbers(
    space: str, values: tuple[str, ...], expected: tuple[float, float, bool]
) -> None:
    found = distribution(tried(space, *values), "k")
    assert (found.low, found.high, found.log) == expected  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("space", "values"), [("choice(16,32)", ("16", "32")), ("relu,tanh", ("relu", "tanh"))]
)
def test_listed_values_are_words_even_where_they_are_numbers(space: str, values: tuple[str, ...]) -> None:
    assert distribution(tried(space, *values), "k").choices == values  # type: ignore[attr-defined]


def test_without_a_space_numbers_are_numbers_and_words_are_words() -> None:
    found = read("number,state,loss,params.a,params.b\n0,COMPLETE,1,0.1,x\n1,COMPLETE,2,0.3,y\n", None)
    number, word = distribution(found, "a"), distribution(found, "b")
    assert (number.low, number.high) == (0.1, 0.3)  # type: ignore[attr-defined]
    assert word.choices == ("x", "y")  # type: ignore[attr-defined]


def test_the_table_is_read_as_it_stands() -> None:
    found = read(TRIALS, None)
    assert (found.objectives, found.states, found.finished) == (
        ["val/score"],
        ["COMPLETE", "PRUNED", "COMPLETE"],
        [0, 2],
    )
    assert found.tuned == {"a": ["0.1", "0.2", "0.4"], "b": ["16", "8", "128"]}
    assert math.isnan(found.values[0][1])


def test_the_best_of_a_score_is_the_highest() -> None:
    picture = search_drawing.best_so_far(read(TRIALS, None))
    assert [row[2] for row in picture.rows] == [0.5, 0.5, 0.7]
    assert picture.caption.endswith("It is no band over seeds. Higher is better.")


def test_words_that_are_numbers_stand_in_their_order() -> None:
    picture = search_drawing.slices(read(TRIALS, '{"b": "choice(8,16,128)"}'))
    places = [picture.svg.index(f">{word}</text>") for word in ("8", "16", "128")]
    assert places == sorted(places)


def test_seconds_and_losses_are_better_low() -> None:
    assert [lower_is_better(name) for name in ("fit/cpu_seconds", "val/loss", "val/accuracy")] == [
        True,
        True,
        False,
    ]


def test_what_a_pruned_trial_had_reached_is_no_result() -> None:
    found = read("number,state,val/loss,params.a\n0,PRUNED,0.1,1\n1,COMPLETE,0.5,2\n2,FAIL,0.2,3\n", None)
    assert found.finished == [1]
    assert [row[2] for row in search_drawing.best_so_far(found).rows][1:] == [0.5, 0.5]
    assert [row[1] for row in search_drawing.what_more_trials_buy(found).rows] == [0.5]
