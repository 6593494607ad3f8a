"""Random streams that cannot move a run's result, so that no study varies them in vain."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

Config = Mapping[str, Any]


class Rule(NamedTuple):
    """What makes a stream idle."""

    stream: str
    holds: Callable[[Config], bool]
    reason: str


def _nothing_is_cut(data: Config) -> bool:
    folds = (data["num_folds"], data["num_inner_folds"])
    return not data["val_fraction"] and folds == (None, None)


def _in_time_order(data: Config) -> bool:
    return "negative_fraction" in data


# Elsewhere init and order always move something: other networks draw their first weights, and even a full
# batch is summed in the order of its examples, which moves the last digits.
RULES = (
    Rule(
        "split",
        lambda config: not _in_time_order(config["data"]) and _nothing_is_cut(config["data"]),
        "data.val_fraction=0 and no folds: nothing is cut off",
    ),
    Rule(
        "split",
        lambda config: config["data"].get("negative_fraction") == 1,
        "clicks are cut in time order, and data.negative_fraction=1 leaves none out",
    ),
    Rule(
        "init",
        lambda config: config["model"].get("num_slots") is not None,
        "the network begins at 0",
    ),
    Rule(
        "order",
        lambda config: _in_time_order(config["data"]),
        "clicks are learnt from in time order",
    ),
    Rule(
        "augmentation",
        lambda config: not (config["data"].get("crop_padding") or config["data"].get("flip")),
        "no crop and no flip: every epoch sees the same images",
    ),
    Rule(
        "dropout",
        lambda config: not config["model"].get("dropout"),
        "no dropout: no unit is silenced",
    ),
)


def idle_streams(config: Config) -> set[str]:
    """The named streams that move not one bit of this run's result.

    A stream that moves a result only by rounding, as the order does with a full batch and the init
    does where L-BFGS finds the one optimum, is not among them.

    Args:
        config: the resolved config of one run.

    Example:
        >>> data = {"val_fraction": 0.2, "num_folds": None, "num_inner_folds": None, "flip": False}
        >>> sorted(idle_streams({"data": data, "model": {"dropout": 0.5}}))
        ['augmentation']
    """
    return set(reasons(config))


def reasons(config: Config) -> dict[str, str]:
    """Why each idle stream is idle, in the order in which the streams are spawned."""
    return {rule.stream: rule.reason for rule in RULES if rule.holds(config)}
