"""The runs of a cross-validation: each fold once the test split, and the choice inside it if nested."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from seedbed.errors import ConfigError
from seedbed.study.plan import Planner, Setting
from seedbed.study.strategy import Repetition, Strategy, ranked
from seedbed.verdict.members import Member


def cross_validation(
    planner: Planner, settings: Sequence[Setting], repeated: Sequence[Repetition], study: Mapping[str, Any]
) -> Strategy:
    """Each fold once as the test split; where settings vary and inner folds are asked for, nested."""
    data = planner.job(settings[0]).config["data"]
    check_folds(data)
    outer = [
        (f"{mark} f{fold}", keys | {"data.fold": fold})
        for mark, keys in repeated
        for fold in range(data["num_folds"])
    ]
    if not data["num_inner_folds"]:
        yield [
            planner.run(setting, mark, keys | {"evaluate_test": True}, {"replicate": number})
            for setting in settings
            for number, (mark, keys) in enumerate(outer)
        ]
        return
    yield from _nested(planner, settings, outer, data["num_inner_folds"], study["objectives"])


def _nested(
    planner: Planner,
    settings: Sequence[Setting],
    outer: Sequence[Repetition],
    num_inner_folds: int,
    objectives: Sequence[str],
) -> Strategy:
    """Chooses the setting inside each outer fold, then fits it there and reads the fold."""
    inner = [
        planner.run(
            setting,
            f"{mark}.{inner_fold}",
            keys | {"data.inner_fold": inner_fold, "evaluate_test": False},
            {"stage": "search", "replicate": number},
        )
        for number, (mark, keys) in enumerate(outer)
        for setting in settings
        for inner_fold in range(num_inner_folds)
    ]
    by_fold: dict[tuple[str | None, str], list[Member]] = defaultdict(list)
    for member in (yield inner):
        by_fold[member.params.get("seed"), member.fold[0]].append(member)
    chosen = []
    for number, (mark, keys) in enumerate(outer):
        found = by_fold[
            str(keys.get("seed", planner.job(settings[0]).config["seed"])), str(keys["data.fold"])
        ]
        for setting in ranked(settings, found, objectives)[:1]:
            read = keys | {"data.inner_fold": None, "evaluate_test": True}
            chosen.append(planner.run(setting, mark, read, {"stage": "nested", "replicate": number}))
    yield chosen


def check_folds(data: Mapping[str, Any]) -> None:
    """Refuses cross-validation without a number of folds, or of one fold.

    Raises:
        ConfigError: saying what to add.
    """
    if data["num_folds"] is None:
        do = "Add data.num_folds=5."
        raise ConfigError(
            "data.num_folds", expected="2 or more with study=cross_validation", got="null", do=do
        )
    if data["fold"] is not None:
        do = "Leave it out: the study runs every fold."
        raise ConfigError(
            "data.fold", expected="null with study=cross_validation", got=str(data["fold"]), do=do
        )
