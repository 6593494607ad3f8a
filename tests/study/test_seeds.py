"""Seeds of a study come from its root and are never shared between stages."""

from seedbed.study.seeds import BLOCK, STAGES, generated

MANY = 2000


def test_more_seeds_begin_with_the_same_ones() -> None:
    assert generated(7, "search", 10)[:4] == generated(7, "search", 4)


def test_seeds_are_distinct_even_where_draws_collide() -> None:
    # 2,000 of a million: about two collisions are expected, so this meets the case.
    assert len(set(generated(0, "search", MANY))) == MANY


def test_no_two_stages_share_a_seed() -> None:
    stages = [set(generated(0, stage, MANY)) for stage in STAGES]
    assert all(not one & other for one in stages for other in stages if one is not other)
    assert max(stages[0]) < BLOCK <= min(stages[1])


def test_another_root_gives_other_seeds() -> None:
    assert not set(generated(0, "refit", 5)) & set(generated(1, "refit", 5))
