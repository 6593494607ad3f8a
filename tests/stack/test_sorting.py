"""Which jobs train together, and the words for the others."""

from typing import Any

import pytest

from seedbed.job import typed
from seedbed.stack.sorting import sort
from tests.conftest import MakeJob
from tests.stack.serial import vary


def told(jobs: list[Any], num_members: int = 64) -> list[str]:
    return list(sort(jobs, num_members).told())


@pytest.mark.parametrize(
    "key",
    ["optimizer.lr", "optimizer.momentum", "optimizer.weight_decay", "objective.l2", "objective.l1"],
)
def test_jobs_that_differ_in_a_number_see_the_same_batches(make_job: MakeJob, key: str) -> None:
    jobs = vary(make_job("optimizer=sgd"), *({key: value} for value in (0.1, 0.2, 0.3)))
    assert told(jobs) == ["Stacked: 3 runs as one, the same batches for all"]


@pytest.mark.parametrize("key", ["seed", "streams.order", "streams.split"])
def test_jobs_of_other_orders_have_batches_of_their_own(make_job: MakeJob, key: str) -> None:
    jobs = vary(make_job(), *({key: value} for value in (1, 2, 3)))
    assert told(jobs) == ["Stacked: 3 runs as one, each with its own batches"]


@pytest.mark.parametrize("key", ["streams.init", "streams.dropout", "streams.augmentation"])
def test_jobs_of_one_order_share_batches_whatever_else_is_drawn(make_job: MakeJob, key: str) -> None:
    jobs = vary(make_job("model=mlp", "model.dropout=0.5"), *({key: value} for value in (1, 2, 3)))
    assert told(jobs) == ["Stacked: 3 runs as one, the same batches for all"]


def test_augmented_batches_are_shared_only_where_they_are_drawn_alike(make_job: MakeJob) -> None:
    jobs = vary(make_job("data.flip=true"), *({"streams.augmentation": value} for value in (1, 2)))
    assert told(jobs) == ["Stacked: 2 runs as one, each with its own batches"]


def test_each_seed_of_a_grid_is_a_stack(make_job: MakeJob) -> None:
    jobs = [
        typed(make_job(), {"seed": seed, "optimizer.lr": lr}) for seed in (1, 2) for lr in (0.1, 0.2, 0.3)
    ]
    assert told(jobs) == ["Stacked: 3 runs as one, the same batches for all"] * 2
    assert [pile.numbers for pile in sort(jobs, 64).piles] == [(0, 1, 2), (3, 4, 5)]


def test_a_stack_has_no_more_members_than_it_may_and_all_have_about_as_many(make_job: MakeJob) -> None:
    jobs = vary(make_job(), *({"optimizer.lr": 0.1 + number} for number in range(7)))
    assert [len(pile.numbers) for pile in sort(jobs, 3).piles] == [2, 2, 3]


def test_jobs_that_differ_in_more_are_apart_and_one_that_is_left_runs_alone(make_job: MakeJob) -> None:
    jobs = [make_job("optimizer.lr=0.1"), make_job("optimizer.lr=0.2"), make_job("data.batch_size=32")]
    assert told(jobs) == [
        "Stacked: 2 runs as one, the same batches for all",
        "Not stacked: 1 run, because no other run of this stage is of its kind",
    ]


@pytest.mark.parametrize(
    ("overrides", "why"),
    [
        (("model=cnn",), "model=cnn gains nothing in a stack"),
        (("optimizer=lbfgs",), "optimizer=lbfgs has no stacked form"),
        (("features=polynomial",), "features holds mapped inputs for each run"),
        (("trainer=ddp",), "trainer.strategy=ddp shares one run"),
        (("trainer.precision=bf16-mixed",), "trainer.precision=bf16-mixed has no stacked form"),
        (("trainer.compile=true",), "trainer.compile=true compiles one network"),
        (("trainer.num_micro_batches=2",), "trainer.num_micro_batches is above 1"),
        (("track.run_id=abc",), "it goes on from its own checkpoint"),
    ],
)
def test_the_plan_says_why_a_job_is_not_stacked(
    make_job: MakeJob, overrides: tuple[str, ...], why: str
) -> None:
    jobs = vary(make_job(*overrides), {"seed": 1}, {"seed": 2})
    assert told(jobs) == [f"Not stacked: 2 runs, because {why}"]
