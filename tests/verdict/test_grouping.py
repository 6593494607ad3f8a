"""What is a setting, what it is called, and who is whose partner."""

import pytest

from seedbed.verdict.grouping import fold_ratio, grouped, is_repetition, labels, names
from seedbed.verdict.pairing import partners
from tests.verdict.runs import foreign, run


@pytest.mark.parametrize(
    "key",
    [
        "seed",
        "streams.init",
        "data.fold",
        "data.inner_fold",
        "random_state",
        "model.seed",
        "split_seed",
        "Fold",
    ],
)
def test_seeds_and_folds_are_repetitions(key: str) -> None:
    assert is_repetition(key)


@pytest.mark.parametrize("key", ["model", "data.num_folds", "seedling", "optimizer.lr", "stateful"])
def test_other_params_are_settings(key: str) -> None:
    assert not is_repetition(key)


def test_runs_of_this_project_go_by_the_digest_of_their_config() -> None:
    first, second = run("mlp", 0, 0.9, setting="one"), run("mlp", 1, 0.9, setting="two")
    assert grouped([first, second, first]) == [[first, first], [second]]


def test_foreign_runs_go_by_all_params_that_differ_and_are_no_seeds() -> None:
    runs = [
        foreign(f"{lr}{seed}", 0.5, lr=lr, random_state=seed, epochs="3") for lr in "ab" for seed in "012"
    ]
    groups = grouped(runs)
    assert [len(group) for group in groups] == [3, 3]
    assert labels(groups) == [{"lr": "a"}, {"lr": "b"}]


def test_by_a_param_goes_by_nothing_else() -> None:
    runs = [run("mlp", seed, 0.9, setting=lr, optimizer__lr=lr) for seed in (0, 1) for lr in ("0.1", "0.2")]
    assert [len(group) for group in grouped(runs, "model")] == [4]
    assert labels(grouped(runs, "model"), "model") == [{"model": "mlp"}]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([{"model": "mlp"}, {"model": "cnn"}], ["mlp", "cnn"]),
        ([{"model": "mlp", "optimizer.lr": "0.1"}, {"model": "mlp"}], ["mlp lr 0.1", "mlp"]),
        ([{"optimizer.lr": "0.1"}, {"optimizer.lr": ""}], ["lr 0.1", "lr default"]),
        ([{"a.x": "1", "b.x": "2"}, {"a.x": "2", "b.x": "1"}], ["x 1", "x 2"]),
        ([{"model": "mlp", "lr": "0.1"}, {"model": "cnn", "lr": "0.2"}], ["mlp", "cnn"]),
        (
            [{"a": "p", "b": "q", "c": "1"}, {"a": "p", "b": "r", "c": "1"}, {"a": "s", "b": "q", "c": "1"}],
            ["p q", "p r", "s q"],
        ),
        ([{"a.x": "1"}, {"b.x": "1"}], ["a.x 1", "b.x 1"]),
        ([{"data.flip": "true"}, {"data.flip": "false"}], ["flip true", "flip false"]),
        ([{"model": "mlp"}, {"model": "mlp"}], ["mlp (1)", "mlp (2)"]),
        ([{"model.hidden": "[64, 32]"}], ["hidden [64, 32]"]),
    ],
)
def test_names_say_what_differs(told: list[dict[str, str]], expected: list[str]) -> None:
    assert names(told) == expected


def test_runs_of_k_folds_have_the_ratio_of_test_to_training_examples() -> None:
    folds = [run("mlp", 0, 0.9, data__fold=str(fold), data__num_folds="5") for fold in range(5)]
    assert fold_ratio(folds) == 1 / 4
    inner = [run("mlp", 0, 0.9, data__inner_fold="0", data__num_inner_folds="3")]
    assert fold_ratio(inner) == 1 / 2
    assert fold_ratio([*folds, run("mlp", 0, 0.9)]) == 0
    assert fold_ratio([run("mlp", 0, 0.9, data__fold="null")]) == 0


def test_a_number_of_folds_that_is_not_on_record_is_the_largest_fold_met() -> None:
    assert fold_ratio([run("mlp", 0, 0.9, data__fold=str(fold)) for fold in range(10)]) == 1 / 9


def test_partners_share_split_order_and_fold() -> None:
    a = [run("a", 0, 1.0), run("a", 1, 2.0)]
    b = [run("b", 1, 3.0), run("b", 0, 4.0)]
    assert partners(a, b) == (a, [b[1], b[0]], [])


def test_a_pinned_stream_counts_with_the_seed_it_was_pinned_to() -> None:
    a, b = (
        [run(model, seed, 1.0, streams__split="7", streams__order="8")] for seed, model in enumerate("ab")
    )
    assert partners(a, b).a == a
    assert partners(a, [run("b", 0, 1.0)]).a == []


def test_folds_of_one_seed_are_partners_fold_by_fold() -> None:
    a, b = ([run(model, 0, 1.0, data__fold=str(fold)) for fold in range(3)] for model in "ab")
    assert partners(a, b[::-1]) == (a, b, [])


def test_where_only_some_have_a_partner_these_are_paired_and_the_others_named() -> None:
    a = [run("a", seed, 1.0) for seed in (0, 1, 2)]
    b = [run("b", seed, 1.0) for seed in (1, 2, 5)]
    found = partners(a, b)
    assert (found.a, found.b) == (a[1:], b[:2])
    assert found.alone == [a[0], b[2]]


def test_one_pair_among_several_runs_is_too_few() -> None:
    a, b = [run("a", seed, 1.0) for seed in (0, 1)], [run("b", seed, 1.0) for seed in (1, 2)]
    assert partners(a, b) == ([], [], [])


def test_a_seed_that_occurs_twice_has_no_partner() -> None:
    a, b = [run("a", 0, 1.0), run("a", 0, 2.0)], [run("b", 0, 1.0), run("b", 1, 1.0)]
    assert partners(a, b) == ([], [], [])


def test_where_all_runs_share_split_and_order_their_seeds_pair_them() -> None:
    a, b = (
        [run(model, seed, 1.0, streams__split="7", streams__order="7") for seed in range(3)] for model in "ab"
    )
    assert partners(a, b[::-1]) == (a, b, [])


def test_merged_settings_are_paired_by_what_else_differs() -> None:
    a, b = ([run(model, 0, 1.0, optimizer__lr=lr) for lr in ("1", "2")] for model in "ab")
    assert partners(a, b).a == []
    assert partners(a, b, also=["optimizer.lr"]) == (a, b, [])


def test_foreign_runs_are_paired_by_whatever_looks_like_a_seed() -> None:
    a, b = ([foreign(f"{lr}{seed}", 0.5, lr=lr, random_state=seed) for seed in "01"] for lr in "ab")
    assert partners(a, b) == (a, b, [])
    assert partners([foreign("x", 0.5, lr="a")], [foreign("y", 0.5, lr="b")]) == ([], [], [])
