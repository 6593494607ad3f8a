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


# The other two always move something: every network draws its first weights, and even a full batch is
# summed in the order of its examples, which moves the last digits.
RULES = (
    Rule(
        "split",
        lambda config: _nothing_is_cut(config["data"]),
        "data.val_fraction=0 and no folds: nothing is cut off",
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
