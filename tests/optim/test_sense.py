"""A setting that would be wrong or have no effect is refused by its key."""

import copy
from typing import Any

import pytest

from seedbed.errors import ConfigError
from seedbed.optim.sense import check

SGD = {"_target_": "torch.optim.SGD", "lr": 0.1, "momentum": 0.9, "nesterov": False, "weight_decay": 0.0}
ADAMW = {"_target_": "torch.optim.AdamW", "lr": 0.1, "betas": [0.9, 0.999], "eps": 1e-8, "weight_decay": 0.1}
ADAGRAD = {"_target_": "torch.optim.Adagrad", "lr": 0.1, "lr_decay": 0.0, "initial_accumulator_value": 0.0}
FTRL = {"_target_": "seedbed.optim.ftrl.Ftrl", "lr": 0.1, "beta": 1.0, "l1": 0.0, "l2": 0.0}
PLAIN = {"objective__l2": 0.0, "trainer__strategy": "single", "model__sparse_gradient": True}
LBFGS = {"_target_": "seedbed.optim.lbfgs.Lbfgs", "lr": 1.0}
SENSIBLE: dict[str, dict[str, Any]] = {
    "data": {"batch_size": None},
    "model": {},
    "objective": {"l1": 0.0, "l2": 1e-4, "label_smoothing": 0.0},
    "schedule": {"_target_": "seedbed.optim.schedule.constant", "warmup_steps": 0},
    "trainer": {"gradient_clip_norm": None, "precision": "64-true"},
}


def changed(optimizer: dict[str, Any], **changes: object) -> dict[str, dict[str, Any]]:
    """The sensible config with this optimiser and changes such as data__batch_size=64."""
    config = {**copy.deepcopy(SENSIBLE), "optimizer": dict(optimizer)}
    for key, value in changes.items():
        group, _, name = key.partition("__")
        config[group][name] = value
    return config


def refusal(config: dict[str, dict[str, Any]]) -> str:
    with pytest.raises(ConfigError) as caught:
        check(config)
    return str(caught.value)


@pytest.mark.parametrize("optimizer", [SGD, ADAMW, LBFGS])
def test_sensible_settings_pass(optimizer: dict[str, Any]) -> None:
    check(changed(optimizer))


def test_what_lbfgs_cannot_do_the_others_can() -> None:
    check(
        changed(
            SGD,
            data__batch_size=64,
            schedule__warmup_steps=5,
            objective__l1=0.1,
            trainer__gradient_clip_norm=1.0,
            trainer__precision="bf16-mixed",
        )
    )


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (
            {"data__batch_size": 64},
            "data.batch_size: expected null (all examples at once) with optimizer=lbfgs, got 64. "
            "Set data.batch_size=null.",
        ),
        (
            {"schedule___target_": "seedbed.optim.schedule.one_cycle"},
            "schedule._target_: expected the constant schedule with optimizer=lbfgs, "
            "got seedbed.optim.schedule.one_cycle. "
            "Set schedule=constant: the line search chooses the step length.",
        ),
        (
            {"schedule__warmup_steps": 5},
            "schedule.warmup_steps: expected 0 with optimizer=lbfgs, got 5. "
            "Set schedule.warmup_steps=0: the line search chooses the step length.",
        ),
        (
            {"objective__l1": 0.1},
            "objective.l1: expected 0 with optimizer=lbfgs, because |w| is not smooth, got 0.1. "
            "Set objective.l1=0, or use optimizer=sgd.",
        ),
        (
            {"trainer__gradient_clip_norm": 1.0},
            "trainer.gradient_clip_norm: expected null with optimizer=lbfgs, because a clipped gradient is "
            "not the objective's, got 1.0. Set trainer.gradient_clip_norm=null.",
        ),
        (
            {"trainer__precision": "16-mixed"},
            "trainer.precision: expected 32-true or 64-true with optimizer=lbfgs, got 16-mixed. 16 bits hide "
            "the differences that the line search compares: set trainer.precision=64-true.",
        ),
    ],
)
def test_lbfgs_refuses_what_breaks_its_line_search(change: dict[str, object], text: str) -> None:
    assert refusal(changed(LBFGS, **change)) == text


@pytest.mark.parametrize(
    ("optimizer", "change", "start"),
    [
        (SGD, {"objective__l1": -0.1}, "objective.l1: expected 0 or more, got -0.1."),
        (SGD, {"objective__l2": -1}, "objective.l2: expected 0 or more, got -1."),
        (
            SGD,
            {"objective__label_smoothing": 1.0},
            "objective.label_smoothing: expected a number in [0, 1), ",
        ),
        (SGD, {"optimizer__lr": -0.1}, "optimizer.lr: expected above 0, got -0.1."),
        (LBFGS, {"optimizer__lr": 0.0}, "optimizer.lr: expected above 0, got 0.0."),
        (SGD, {"optimizer__momentum": 1.0}, "optimizer.momentum: expected a number in [0, 1), got 1.0."),
        (SGD, {"optimizer__weight_decay": -1}, "optimizer.weight_decay: expected 0 or more, got -1."),
        (ADAMW, {"optimizer__eps": -1e-8}, "optimizer.eps: expected 0 or more, got -1e-08."),
        (
            ADAMW,
            {"optimizer__betas": [0.9, 1.0]},
            "optimizer.betas: expected two numbers in [0, 1), got [0.9, ",
        ),
        (ADAMW, {"optimizer__betas": [0.9]}, "optimizer.betas: expected two numbers in [0, 1), got [0.9]."),
        (
            SGD,
            {"trainer__gradient_clip_norm": 0.0},
            "trainer.gradient_clip_norm: expected above 0, or null, ",
        ),
        (
            SGD,
            {"trainer__checkpoint_every_steps": 0},
            "trainer.checkpoint_every_steps: expected 1 or more, or null, got 0. ",
        ),
    ],
)
def test_a_value_out_of_range_is_refused_by_its_key(
    optimizer: dict[str, Any], change: dict[str, object], start: str
) -> None:
    assert refusal(changed(optimizer, **change)).startswith(start)


def test_nesterov_without_momentum_would_have_no_effect() -> None:
    text = refusal(changed(SGD, optimizer__nesterov=True, optimizer__momentum=0.0))
    assert text.startswith("optimizer.momentum: expected above 0 with optimizer.nesterov, got 0.0.")


@pytest.mark.parametrize("optimizer", [FTRL, ADAGRAD, SGD | {"momentum": 0.0}])
def test_optimisers_of_sparse_gradients_pass(optimizer: dict[str, Any]) -> None:
    check(changed(optimizer, **PLAIN))


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (
            {"schedule___target_": "seedbed.optim.schedule.cosine"},
            "schedule._target_: expected the constant schedule with optimizer=ftrl, got "
            "seedbed.optim.schedule.cosine. "
            "Set schedule=constant: each weight has a learning rate that falls by itself.",
        ),
        (
            {"schedule__warmup_steps": 5},
            "schedule.warmup_steps: expected 0 with optimizer=ftrl, got 5. "
            "Set schedule.warmup_steps=0: each weight has a learning rate that falls by itself.",
        ),
        (
            {"objective__l1": 0.1},
            "objective.l1: expected 0 with optimizer=ftrl, got 0.1. "
            "Set optimizer.l1, which leaves exact zeros.",
        ),
        ({"objective__l2": 0.1}, "objective.l2: expected 0 with optimizer=ftrl, got 0.1. Set optimizer.l2."),
        (
            {"trainer__strategy": "fsdp"},
            "trainer.strategy: expected single or ddp with optimizer=ftrl, which needs whole gradients, "
            "got fsdp. Set trainer=ddp.",
        ),
        ({"optimizer__beta": 0.0}, "optimizer.beta: expected above 0, got 0.0. "),
        ({"optimizer__l1": -1.0}, "optimizer.l1: expected 0 or more, got -1.0. "),
        ({"optimizer__l2": -1.0}, "optimizer.l2: expected 0 or more, got -1.0. "),
    ],
)
def test_ftrl_refuses_what_would_break_or_double_its_own(change: dict[str, object], text: str) -> None:
    plain = {"objective__l2": 0.0, "trainer__strategy": "single"}
    assert refusal(changed(FTRL, **(plain | change))).startswith(text)


@pytest.mark.parametrize(
    ("optimizer", "change", "text"),
    [
        (
            ADAMW,
            {},
            "optimizer._target_: expected optimizer=ftrl, adagrad or sgd with model.sparse_gradient, got "
            "torch.optim.AdamW. Set model.sparse_gradient=false.",
        ),
        (SGD, {}, "optimizer.momentum: expected 0 with model.sparse_gradient, got 0.9. "),
        (ADAGRAD, {"objective__l1": 0.1}, "objective.l1: expected 0 with model.sparse_gradient, got 0.1. "),
        (ADAGRAD, {"objective__l2": 0.1}, "objective.l2: expected 0 with model.sparse_gradient, got 0.1. "),
        (
            ADAGRAD,
            {"trainer__gradient_clip_norm": 1.0},
            "trainer.gradient_clip_norm: expected null with model.sparse_gradient, got 1.0. ",
        ),
        (
            ADAGRAD,
            {"trainer__strategy": "ddp"},
            "trainer.strategy: expected single with model.sparse_gradient, got ddp. ",
        ),
    ],
)
def test_what_touches_every_slot_is_refused_with_a_sparse_gradient(
    optimizer: dict[str, Any], change: dict[str, object], text: str
) -> None:
    assert refusal(changed(optimizer, **(PLAIN | change))).startswith(text)
