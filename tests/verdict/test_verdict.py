"""Every kind of verdict, word by word."""

import numpy as np
import pytest

from seedbed.verdict.compare import compare
from seedbed.verdict.unit import Unit, told_p, unit_of
from tests.verdict.runs import foreign, run

# Differences of accuracies in five pairs: mean 1.3 points, standard deviation 0.32.
DECIDED = (0.009, 0.011, 0.013, 0.015, 0.017)


def verdict(
    differences: tuple[float, ...], *, metric: str = "test/accuracy", margin: float | None = None
) -> str:
    """Of cnn against mlp, which shares every seed."""
    runs = [run("mlp", seed, 0.9 + 0.01 * seed, metric=metric) for seed in range(len(differences))]
    runs += [
        run("cnn", seed, 0.9 + 0.01 * seed + difference, metric=metric)
        for seed, difference in enumerate(differences)
    ]
    (words,) = compare(runs, metric=metric, margin=margin).words
    return words


def test_a_decided_pair_is_told_in_points_with_its_interval_and_the_smallest_p() -> None:
    assert verdict(DECIDED) == (
        "cnn beats mlp by 1.3 points [0.9, 1.7], n = 5 pairs, p < 0.001; exact sign-flip 0.0625, the "
        "smallest that 5 pairs allow"
    )


def test_an_open_pair_says_what_would_settle_it_and_never_that_it_is_not_significant() -> None:
    told = verdict((0.009, -0.004, 0.008, 0.011, -0.002))
    assert told == (
        "cnn against mlp: open; about 22 seeds would tell (17 more; difference 0.4 points [-0.4, 1.3], n = 5 "
        "pairs, p = 0.23; exact sign-flip 0.25, where 5 pairs allow no less than 0.0625)"
    )
    assert "significant" not in told


def test_a_tiny_effect_needs_more_seeds_than_are_counted() -> None:
    told = verdict((0.01, -0.01, 0.01, -0.01, 0.0001))
    assert told.startswith(
        "cnn against mlp: open; more than 10,000 seeds would be needed (difference 0.0 points ["
    )


def test_no_difference_at_all_lets_no_number_of_seeds_follow() -> None:
    runs = [run("a", seed, 0.5) for seed in range(2)] + [run("b", 0, 0.25), run("b", 1, 0.75)]
    assert (
        compare(runs)
        .words[0]
        .startswith(
            "a against b: open; the observed difference is 0, for which no number of seeds follows "
            "(difference 0.0 "
        )
    )


def test_losses_are_told_in_nats_and_lower_is_better() -> None:
    assert verdict((0.09, 0.11, 0.13, 0.15, 0.17), metric="test/loss").startswith(
        "mlp beats cnn by 0.13 nats [0.09, 0.17], n = 5 pairs, p < 0.001"
    )


def test_seconds_are_better_lower() -> None:
    assert verdict((9.0, 11.0, 13.0), metric="fit/cpu_seconds").startswith(
        "mlp beats cnn by 11.0 seconds [6.0, 16.0], n = 3 pairs, p = 0.011"
    )


def test_where_the_name_does_not_say_what_is_better_the_words_do_not_either() -> None:
    assert verdict((0.9, 1.1, 1.3), metric="val_acc").startswith(
        "cnn is higher than mlp by 1.1 [0.6, 1.6], n = 3"
    )


def test_a_narrow_difference_is_equivalent_within_the_margin() -> None:
    assert verdict((0.001, -0.001, 0.002, -0.001, 0.0), margin=0.5) == (
        "cnn and mlp are equivalent within 0.5 points: difference 0.02 points [-0.14, 0.18], n = 5 pairs, "
        "p = 0.75; exact sign-flip 1, where 5 pairs allow no less than 0.0625, equivalence p < 0.001"
    )


def test_a_difference_can_be_real_and_within_the_margin() -> None:
    assert verdict(DECIDED, margin=3.0).endswith(
        "the smallest that 5 pairs allow; equivalent within 3 points"
    )


def test_more_than_sixteen_pairs_are_drawn_and_told_so() -> None:
    told = verdict(tuple(0.01 + 0.001 * place for place in range(17)))
    assert told.endswith("sign-flip 0.0002 (random draws; they allow no less than 0.0002)")


def test_unpaired_runs_are_called_unpaired() -> None:
    runs = [run("mlp", seed, value) for seed, value in enumerate((0.9, 0.91, 0.92))]
    runs += [run("cnn", seed, value) for seed, value in enumerate((0.95, 0.96, 0.98), start=10)]
    assert compare(runs).words == (
        "cnn beats mlp by 5.3 points [2.2, 8.5], n = 3 and 3 unpaired runs, p = 0.011; exact exchange of "
        "runs 0.1, the smallest that so many runs allow",
    )


def test_folds_are_called_folds() -> None:
    runs = [
        run(model, 0, value + 0.01 * fold, data__fold=str(fold), data__num_folds="5")
        for fold in range(5)
        for model, value in (("mlp", 0.9), ("cnn", 0.93 + 0.004 * (fold % 2)))
    ]
    comparison = compare(runs)
    assert comparison.words == (
        "cnn beats mlp by 3.2 points [2.8, 3.6], n = 5 pairs of folds, p < 0.001, corrected for the training "
        "examples that folds share",
    )
    assert "sign-flip" not in comparison.words[0]
    assert any("Nadeau and Bengio 2003" in warning for warning in comparison.warnings)


def test_open_folds_ask_for_fold_runs() -> None:
    runs = [
        run(model, 0, value, data__fold=str(fold), data__num_folds="3")
        for fold in range(3)
        for model, value in (("mlp", 0.9), ("cnn", 0.9 + 0.01 * (fold - 0.5)))
    ]
    assert "more than 10,000 fold runs would be needed" in compare(runs).words[0]


def test_one_run_a_setting_asks_for_more() -> None:
    assert compare([run("mlp", 0, 0.9), run("cnn", 0, 0.95)]).words == (
        "cnn against mlp: open; one run a setting has no interval (difference 5.0 points). Two pairs give "
        "one; 6 are the fewest whose sign-flip test can go below 0.05",
    )


def test_a_difference_without_spread_has_no_t_test() -> None:
    assert verdict((0.5, 0.5, 0.5)) == (
        "cnn is better than mlp by 50.0 points in each of 3 pairs, without any spread: no t test exists; "
        "exact sign-flip 0.25, the smallest that 3 pairs allow"
    )
    assert verdict((0.0, 0.0)) == "mlp against cnn: the same value in each of 2 pairs"
    same = [run("mlp", seed, 0.5) for seed in (0, 1)] + [run("cnn", seed, 0.5) for seed in (5, 6)]
    assert compare(same).words == ("mlp against cnn: the same value in all runs",)


@pytest.mark.parametrize(
    ("metric", "unit"),
    [
        ("test/accuracy", Unit(100.0, "points", "higher")),
        ("best_val/macro_f1_score", Unit(100.0, "points", "higher")),
        ("val/loss", Unit(1.0, "nats", "lower")),
        ("test/calibration_error", Unit(1.0, "probability", "lower")),
        ("fit/wall_seconds", Unit(1.0, "seconds", "lower")),
        ("rmse", Unit(1.0, "", None)),
        ("my_accuracy", Unit(1.0, "", "higher")),
    ],
)
def test_units_follow_from_the_glossary(metric: str, unit: Unit) -> None:
    assert unit_of(metric) == unit


@pytest.mark.parametrize(
    ("sizes", "decimals"),
    [((0.004,), 1), ((0.0004,), 2), ((0.3,), 1), ((0.0,), 1), ((0.03, 0.0001), 2), ((1e-12,), 6)],
)
def test_digits_are_as_many_as_the_smallest_size_needs(sizes: tuple[float, ...], decimals: int) -> None:
    assert unit_of("accuracy").decimals(*sizes) == decimals


def test_zero_has_no_sign() -> None:
    assert unit_of("accuracy").told(-0.0001, 1) == "0.0"
    assert unit_of("accuracy").told(-0.001, 1) == "-0.1"


@pytest.mark.parametrize(
    ("value", "told"), [(1e-9, "< 0.001"), (0.001, "= 0.001"), (0.04567, "= 0.046"), (1.0, "= 1")]
)
def test_a_p_value_has_two_digits(value: float, told: str) -> None:
    assert told_p(value) == told


def test_the_verdict_follows_the_partners_where_the_means_of_all_runs_point_elsewhere() -> None:
    paired = [run("a", seed, 0.5 + 0.01 * seed) for seed in range(4)]
    paired += [run("b", seed, 0.6 + 0.011 * seed) for seed in range(4)]
    (words,) = compare([*paired, *(run("a", seed, 0.99) for seed in range(10, 20))]).words
    assert words.startswith("b beats a by 10.1 points [")
    assert np.mean([0.5, 0.51, 0.52, 0.53] + [0.99] * 10) > 0.62


def test_foreign_runs_are_compared_by_the_params_that_differ() -> None:
    runs = [
        foreign(f"{lr} {seed}", value + 0.01 * seed, lr=lr, random_state=str(seed))
        for lr, value in (("0.1", 0.5), ("0.2", 0.7))
        for seed in range(3)
    ]
    (words,) = compare(runs, metric="val_acc").words
    assert words.startswith("lr 0.2 is higher than lr 0.1 by 0.2 in each of 3 pairs, without any spread")
