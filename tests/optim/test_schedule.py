"""The schedules step for step against torch's own, and at their ends."""

import doctest
from collections.abc import Callable

import pytest
import torch
from torch.optim import SGD, lr_scheduler

from seedbed.errors import ConfigError
from seedbed.optim import schedule as module
from seedbed.optim.schedule import Schedule, constant, cosine, one_cycle

# torch multiplies its way from step to step: an error of one rounding a step, over 200 steps.
RECURSION = 1e-12
ONE_CYCLE = {"warmup_fraction": 0.3, "start_fraction": 0.04, "final_fraction": 4e-6}
LENGTHS = [2, 3, 10, 11, 100, 200]


def theirs(
    make: Callable[[torch.optim.Optimizer], lr_scheduler.LRScheduler], num_steps: int, lr: float = 1.0
) -> list[float]:
    """The learning rates that a scheduler of torch gives in a real training loop."""
    optimizer = SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr)
    scheduler = make(optimizer)
    rates = []
    for _ in range(num_steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


def factors(schedule: Schedule, num_steps: int) -> list[float]:
    return [schedule(step) for step in range(num_steps)]


def test_the_examples_in_docstrings_hold() -> None:
    assert doctest.testmod(module) == (0, 1)


@pytest.mark.parametrize("warmup_steps", [1, 3, 9])
def test_warm_up_is_torchs_linear_rise(warmup_steps: int) -> None:
    expected = theirs(
        lambda optimizer: lr_scheduler.LinearLR(
            optimizer, start_factor=1 / (warmup_steps + 1), total_iters=warmup_steps
        ),
        10,
    )
    assert factors(constant(10, warmup_steps=warmup_steps), 10) == pytest.approx(expected, rel=RECURSION)


@pytest.mark.parametrize("total_steps", LENGTHS)
@pytest.mark.parametrize("final_fraction", [0.0, 0.1, 1.0])
def test_cosine_is_torchs_cosine_annealing(total_steps: int, final_fraction: float) -> None:
    expected = theirs(
        lambda optimizer: lr_scheduler.CosineAnnealingLR(optimizer, total_steps, eta_min=final_fraction),
        total_steps,
    )
    ours = factors(cosine(total_steps, warmup_steps=0, final_fraction=final_fraction), total_steps)
    assert ours == pytest.approx(expected, abs=RECURSION)


def test_cosine_after_warm_up_is_torchs_sequence_of_both() -> None:
    rise = theirs(lambda optimizer: lr_scheduler.LinearLR(optimizer, 1 / 6, total_iters=5), 5)
    fall = theirs(lambda optimizer: lr_scheduler.CosineAnnealingLR(optimizer, 45, eta_min=0.2), 45)
    ours = factors(cosine(50, warmup_steps=5, final_fraction=0.2), 50)
    assert ours == pytest.approx(rise + fall, abs=RECURSION)


@pytest.mark.parametrize("total_steps", LENGTHS)
@pytest.mark.parametrize("warmup_fraction", [0.05, 0.3, 0.6])
def test_one_cycle_is_torchs_one_cycle(total_steps: int, warmup_fraction: float) -> None:
    expected = theirs(
        lambda optimizer: lr_scheduler.OneCycleLR(
            optimizer, max_lr=1.0, total_steps=total_steps, pct_start=warmup_fraction, cycle_momentum=False
        ),
        # torch refuses to be asked for a learning rate after the last step.
        total_steps - 1,
    )
    schedule = one_cycle(total_steps, **{**ONE_CYCLE, "warmup_fraction": warmup_fraction})
    assert factors(schedule, total_steps - 1) == pytest.approx(expected, abs=RECURSION)
    assert schedule(total_steps - 1) == pytest.approx(ONE_CYCLE["final_fraction"], rel=RECURSION)


@pytest.mark.parametrize(
    "schedule",
    [
        constant(7, warmup_steps=3),
        cosine(7, warmup_steps=2, final_fraction=0.1),
        one_cycle(7, **ONE_CYCLE),
    ],
)
def test_a_factor_depends_on_the_step_alone(schedule: Schedule) -> None:
    forwards = factors(schedule, 8)
    assert [schedule(step) for step in reversed(range(8))] == forwards[::-1]


@pytest.mark.parametrize(
    "schedule",
    [
        constant(7, warmup_steps=6),
        cosine(7, warmup_steps=6, final_fraction=0.1),
        one_cycle(7, **ONE_CYCLE),
    ],
)
def test_the_question_after_the_last_step_has_the_last_answer(schedule: Schedule) -> None:
    assert schedule(7) == schedule(6)


@pytest.mark.parametrize(
    "schedule", [constant(1, warmup_steps=0), cosine(1, warmup_steps=0, final_fraction=0.0)]
)
def test_a_single_step_has_the_full_learning_rate(schedule: Schedule) -> None:
    assert schedule(0) == 1


def test_no_step_of_any_schedule_is_wasted_on_a_learning_rate_of_zero() -> None:
    for total_steps in range(2, 30):
        assert min(factors(cosine(total_steps, warmup_steps=1, final_fraction=0.0), total_steps)) > 0
        assert min(factors(one_cycle(total_steps, **ONE_CYCLE), total_steps)) > 0


def test_one_cycle_of_one_step_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        one_cycle(1, **ONE_CYCLE)
    assert str(caught.value) == (
        "schedule=one_cycle: expected a training of 2 steps or more, got 1. "
        "Set schedule=constant, raise trainer.max_epochs, or lower data.batch_size."
    )


@pytest.mark.parametrize("warmup_steps", [-1, 10, 11])
@pytest.mark.parametrize("make", [constant, lambda n, **keys: cosine(n, **keys, final_fraction=0.0)])
def test_a_warm_up_that_does_not_end_is_refused(make: Callable[..., Schedule], warmup_steps: int) -> None:
    with pytest.raises(ConfigError) as caught:
        make(10, warmup_steps=warmup_steps)
    assert str(caught.value) == (
        "schedule.warmup_steps: expected 0 to 9 (the training has 10 steps), "
        f"got {warmup_steps}. Lower it, or raise trainer.max_epochs."
    )


@pytest.mark.parametrize(
    ("key", "value", "interval"),
    [
        ("warmup_fraction", 0.0, "(0, 1)"),
        ("warmup_fraction", 1.0, "(0, 1)"),
        ("start_fraction", 0.0, "(0, 1]"),
        ("start_fraction", 4.0, "(0, 1]"),
        ("final_fraction", -0.1, "[0, 1]"),
        ("final_fraction", 1.5, "[0, 1]"),
    ],
)
def test_a_fraction_that_is_none_is_refused_by_name(key: str, value: float, interval: str) -> None:
    with pytest.raises(ConfigError) as caught:
        one_cycle(10, **{**ONE_CYCLE, key: value})
    assert str(caught.value).startswith(f"schedule.{key}: expected a number in {interval}, got {value}.")


@pytest.mark.parametrize("final_fraction", [-0.1, 1.1])
def test_cosine_refuses_a_final_fraction_that_is_none(final_fraction: float) -> None:
    with pytest.raises(ConfigError, match=r"schedule\.final_fraction: expected a number in \[0, 1\]"):
        cosine(10, warmup_steps=0, final_fraction=final_fraction)
