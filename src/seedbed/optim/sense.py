"""Settings that make no sense, alone or together, refused before the first batch."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from seedbed.errors import ConfigError

Config = Mapping[str, Any]
FULL_PRECISION = ("32-true", "64-true")


class Rule(NamedTuple):
    """What a key must be where it exists, and what to do where it is not."""

    key: str
    expected: str
    holds: Callable[[Any], bool]
    do: str


def _not_negative(value: int | float) -> bool:
    return value >= 0


def _positive(value: int | float) -> bool:
    return value > 0


def _share(value: int | float) -> bool:
    return 0 <= value < 1


def _zero(value: int | float) -> bool:
    return value == 0


def _null(value: object) -> bool:
    return value is None


RANGES = (
    Rule("trainer.max_epochs", "1 or more", lambda value: value >= 1, "An epoch is one pass over the data."),
    Rule(
        "trainer.checkpoint_every_steps",
        "1 or more, or null",
        lambda steps: steps is None or steps >= 1,
        "null writes a checkpoint at the end of each epoch only.",
    ),
    Rule("objective.l1", "0 or more", _not_negative, "0 switches the penalty off."),
    Rule("objective.l2", "0 or more", _not_negative, "0 switches the penalty off."),
    Rule("objective.label_smoothing", "a number in [0, 1)", _share, "0 switches it off."),
    Rule("optimizer.lr", "above 0", _positive, "A learning rate of 0 or less would not learn."),
    Rule("optimizer.momentum", "a number in [0, 1)", _share, "0 switches it off."),
    Rule("optimizer.weight_decay", "0 or more", _not_negative, "0 switches it off."),
    Rule("optimizer.eps", "0 or more", _not_negative, "torch's own choice is 1e-08."),
    Rule("optimizer.lr_decay", "0 or more", _not_negative, "0 switches it off."),
    Rule("optimizer.initial_accumulator_value", "0 or more", _not_negative, "torch's own choice is 0."),
    Rule("optimizer.beta", "above 0", _positive, "1 is common: it keeps the first steps short."),
    Rule("optimizer.l1", "0 or more", _not_negative, "0 leaves no weight exactly 0."),
    Rule("optimizer.l2", "0 or more", _not_negative, "0 switches the penalty off."),
    Rule(
        "optimizer.betas",
        "two numbers in [0, 1)",
        lambda betas: len(betas) == 2 and all(map(_share, betas)),
        "torch's own choice is [0.9, 0.999].",
    ),
    Rule(
        "trainer.gradient_clip_norm",
        "above 0, or null",
        lambda norm: norm is None or norm > 0,
        "null switches clipping off.",
    ),
    Rule("trainer.num_micro_batches", "1 or more", lambda count: count >= 1, "1 computes all at once."),
)
NESTEROV_NEEDS = (
    Rule(
        "optimizer.momentum",
        "above 0 with optimizer.nesterov",
        _positive,
        "Without momentum there is nothing to look ahead along: set optimizer.nesterov=false.",
    ),
)
# A line search compares the values, at several points, of one smooth function of all examples.
LBFGS_NEEDS = (
    Rule(
        "trainer.strategy",
        "single or ddp with optimizer=lbfgs, which needs whole gradients",
        lambda strategy: strategy != "fsdp",
        "Set trainer=ddp.",
    ),
    Rule(
        "data.batch_size",
        "null (all examples at once) with optimizer=lbfgs",
        _null,
        "Set data.batch_size=null.",
    ),
    Rule(
        "schedule._target_",
        "the constant schedule with optimizer=lbfgs",
        lambda target: target == "seedbed.optim.schedule.constant",
        "Set schedule=constant: the line search chooses the step length.",
    ),
    Rule(
        "schedule.warmup_steps",
        "0 with optimizer=lbfgs",
        _zero,
        "Set schedule.warmup_steps=0: the line search chooses the step length.",
    ),
    Rule(
        "objective.l1",
        "0 with optimizer=lbfgs, because |w| is not smooth",
        _zero,
        "Set objective.l1=0, or use optimizer=sgd.",
    ),
    Rule(
        "trainer.gradient_clip_norm",
        "null with optimizer=lbfgs, because a clipped gradient is not the objective's",
        _null,
        "Set trainer.gradient_clip_norm=null.",
    ),
    Rule(
        "trainer.precision",
        "32-true or 64-true with optimizer=lbfgs",
        lambda precision: precision in FULL_PRECISION,
        "16 bits hide the differences that the line search compares: set trainer.precision=64-true.",
    ),
)

FTRL = "seedbed.optim.ftrl.Ftrl"
FTRL_NEEDS = (
    Rule(
        "trainer.strategy",
        "single or ddp with optimizer=ftrl, which needs whole gradients",
        lambda strategy: strategy != "fsdp",
        "Set trainer=ddp.",
    ),
    Rule(
        "schedule._target_",
        "the constant schedule with optimizer=ftrl",
        lambda target: target == "seedbed.optim.schedule.constant",
        "Set schedule=constant: each weight has a learning rate that falls by itself.",
    ),
    Rule(
        "schedule.warmup_steps",
        "0 with optimizer=ftrl",
        _zero,
        "Set schedule.warmup_steps=0: each weight has a learning rate that falls by itself.",
    ),
    Rule("objective.l1", "0 with optimizer=ftrl", _zero, "Set optimizer.l1, which leaves exact zeros."),
    Rule("objective.l2", "0 with optimizer=ftrl", _zero, "Set optimizer.l2."),
)
SPARSELY = ("torch.optim.SGD", "torch.optim.Adagrad", FTRL)
DENSE = "Set model.sparse_gradient=false."
# All of these would touch every slot at every step, or do not take a gradient that leaves most of them out.
SPARSE_NEEDS = (
    Rule(
        "optimizer._target_",
        "optimizer=ftrl, adagrad or sgd with model.sparse_gradient",
        lambda target: target in SPARSELY,
        DENSE,
    ),
    Rule("optimizer.momentum", "0 with model.sparse_gradient", _zero, DENSE),
    Rule("optimizer.weight_decay", "0 with model.sparse_gradient", _zero, DENSE),
    Rule("objective.l1", "0 with model.sparse_gradient", _zero, DENSE),
    Rule("objective.l2", "0 with model.sparse_gradient", _zero, DENSE),
    Rule("trainer.gradient_clip_norm", "null with model.sparse_gradient", _null, DENSE),
    Rule(
        "trainer.strategy",
        "single with model.sparse_gradient",
        lambda strategy: strategy == "single",
        DENSE,
    ),
)


def check(config: Config) -> None:
    """Refuses settings out of range, and those that the chosen optimiser cannot honour.

    Args:
        config: the resolved config as plain dicts.

    Raises:
        ConfigError: naming the first key that is wrong.
    """
    judge(_rules(config), config)


def judge(rules: Iterable[Rule], config: Config) -> None:
    """Refuses the first key that breaks a rule.

    Args:
        rules: rules on keys of a group; a key that the group does not have breaks none.
        config: the resolved config as plain dicts.

    Raises:
        ConfigError: naming the key.
    """
    for rule in rules:
        group, _, name = rule.key.partition(".")
        if name in config[group] and not rule.holds(config[group][name]):
            value = config[group][name]
            got = "null" if value is None else str(value)
            raise ConfigError(rule.key, expected=rule.expected, got=got, do=rule.do)


def _rules(config: Config) -> Iterator[Rule]:
    optimizer = config["optimizer"]
    yield from RANGES
    if optimizer.get("nesterov"):
        yield from NESTEROV_NEEDS
    if optimizer["_target_"] == "seedbed.optim.lbfgs.Lbfgs":
        yield from LBFGS_NEEDS
    if optimizer["_target_"] == FTRL:
        yield from FTRL_NEEDS
    if config.get("model", {}).get("sparse_gradient"):
        yield from SPARSE_NEEDS
