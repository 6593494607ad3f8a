"""Refuses a study that cannot work, before anything is recorded."""

from collections.abc import Iterable, Mapping
from typing import Any

from seedbed.errors import ConfigError
from seedbed.metric.glossary import better

# Of these a study has one value.
ONE = ("study", "hydra", "track", "launch")
COUNTS = ("num_seeds", "num_trials", "num_finalists", "num_fresh_seeds")


def check(kind: str, study: Mapping[str, Any], swept: Iterable[str]) -> None:
    """Refuses what cannot work.

    Args:
        kind: option of the group `study`.
        study: its resolved keys.
        swept: keys with several values.

    Raises:
        ConfigError: naming the key.
    """
    for key in swept:
        if key.split(".")[0].split("/")[0] in ONE:
            do = "Give it one value; run the command again for another."
            raise ConfigError(key, expected="one value, because a study has one", got="a list", do=do)
    _check_objectives(kind, study["objectives"])
    _check_counts(kind, study)
    if study.get("pruner"):
        _check_pruner(study)


def _check_objectives(kind: str, objectives: list[str]) -> None:
    for name in objectives:
        better(name)
    if len(objectives) != 1 and kind != "multi_objective":
        raise ConfigError(
            "study.objectives",
            expected=f"one metric with study={kind}",
            got=str(len(objectives)),
            do="Give one, or use study=multi_objective.",
        )


def _check_counts(kind: str, study: Mapping[str, Any]) -> None:
    if study["num_seeds"] is None and ("sampler" in study or "streams" in study):
        raise ConfigError(
            "study.num_seeds",
            expected=f"1 or more with study={kind}, whose seeds come from its root",
            got="null",
            do="Give a number.",
        )
    for key in COUNTS:
        if study.get(key) is not None and study[key] < 1:
            do = "Choose a whole number above 0."
            raise ConfigError(f"study.{key}", expected="1 or more", got=str(study[key]), do=do)


def _check_pruner(study: Mapping[str, Any]) -> None:
    """As the first run would, which is too late."""
    from seedbed.pruning import Pruner

    if len(study["objectives"]) > 1:
        raise ConfigError(
            "study.pruner",
            expected="null with several objectives, because one value must decide",
            got=str(study["pruner"]),
            do="Set study.pruner=null.",
        )
    names = ("pruner", "startup_trials", "warmup_epochs", "reduction_factor")
    Pruner(*(study[name] for name in names)).built(max_steps=1)
