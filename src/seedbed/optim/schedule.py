"""Factors on the learning rate, one a step: pure functions of the step's number.

Each function here is called with the number of all steps of the training and gives a function from
a step (0 is the first) to its factor. After the last step torch asks once more; the answer is the
last factor again. Being pure, a schedule needs no state to resume.
"""

import math
from collections.abc import Callable

from seedbed.errors import ConfigError

Schedule = Callable[[int], float]


def constant(total_steps: int, *, warmup_steps: int) -> Schedule:
    """The full learning rate from step `warmup_steps` on, before that a linear rise.

    Args:
        total_steps: optimiser steps of the whole training, 1 or more.
        warmup_steps: steps with less, the first with 1 / (warmup_steps + 1); 0 for none.

    Raises:
        ConfigError: where the rise would not end within the training.

    Example:
        >>> [constant(10, warmup_steps=3)(step) for step in range(5)]
        [0.25, 0.5, 0.75, 1.0, 1.0]
    """
    _check_warmup(warmup_steps, total_steps)
    return lambda step: min(1.0, (step + 1) / (warmup_steps + 1))


def cosine(total_steps: int, *, warmup_steps: int, final_fraction: float) -> Schedule:
    """A linear rise as in `constant`, then half a cosine down to `final_fraction`.

    The cosine's lower end lies one step behind the last, as in torch's CosineAnnealingLR, so that no
    step is wasted on a learning rate of 0.

    Args:
        total_steps: optimiser steps of the whole training, 1 or more.
        warmup_steps: steps of the rise, fewer than all.
        final_fraction: where the cosine ends, in [0, 1].

    Raises:
        ConfigError: where the rise would not end within the training, or the fraction is no fraction.

    Source: Loshchilov and Hutter (2017), "SGDR: stochastic gradient descent with warm restarts", eq. 5,
    without a restart.
    """
    _check_warmup(warmup_steps, total_steps)
    _check_fraction("final_fraction", final_fraction, "[0, 1]", 0 <= final_fraction <= 1)

    def factor(step: int) -> float:
        if step < warmup_steps:
            return (step + 1) / (warmup_steps + 1)
        done = (min(step, total_steps - 1) - warmup_steps) / (total_steps - warmup_steps)
        return _between(1.0, final_fraction, done)

    return factor


def one_cycle(
    total_steps: int, *, warmup_fraction: float, start_fraction: float, final_fraction: float
) -> Schedule:
    """Half a cosine up from `start_fraction` to 1, then half a cosine down to `final_fraction`.

    The same as torch's OneCycleLR, whose peak lies at step warmup_fraction * total_steps - 1 and whose
    last step has the final fraction.

    Args:
        total_steps: optimiser steps of the whole training, 2 or more.
        warmup_fraction: share of the steps that rise, in (0, 1).
        start_fraction: share of the learning rate at the first step, in (0, 1].
        final_fraction: share of the learning rate at the last step, in [0, 1].

    Raises:
        ConfigError: for a single step, which has no cycle, or a fraction that is none.

    Source: Smith and Topin (2018), "Super-convergence".
    """
    if total_steps < 2:
        raise ConfigError(
            "schedule=one_cycle",
            expected="a training of 2 steps or more",
            got=str(total_steps),
            do="Set schedule=constant, raise trainer.max_epochs, or lower data.batch_size.",
        )
    _check_fraction("warmup_fraction", warmup_fraction, "(0, 1)", 0 < warmup_fraction < 1)
    _check_fraction("start_fraction", start_fraction, "(0, 1]", 0 < start_fraction <= 1)
    _check_fraction("final_fraction", final_fraction, "[0, 1]", 0 <= final_fraction <= 1)
    peak, last = warmup_fraction * total_steps - 1, total_steps - 1

    def factor(step: int) -> float:
        if step < peak:
            return _between(start_fraction, 1.0, step / peak)
        return _between(1.0, final_fraction, (min(step, last) - peak) / (last - peak))

    return factor


def _between(start: float, end: float, done: float) -> float:
    """Half a cosine from `start` (done 0) to `end` (done 1)."""
    return end + (start - end) * (1 + math.cos(math.pi * done)) / 2


def _check_warmup(warmup_steps: int, total_steps: int) -> None:
    if not 0 <= warmup_steps < total_steps:
        raise ConfigError(
            "schedule.warmup_steps",
            expected=f"0 to {total_steps - 1} (the training has {total_steps} steps)",
            got=str(warmup_steps),
            do="Lower it, or raise trainer.max_epochs.",
        )


def _check_fraction(name: str, value: float, interval: str, fits: bool) -> None:
    if not fits:
        raise ConfigError(
            f"schedule.{name}",
            expected=f"a number in {interval}",
            got=str(value),
            do="It is a share of optimizer.lr or of all steps, not a percentage.",
        )
