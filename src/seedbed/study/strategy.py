"""Which runs a study consists of, wave by wave: what comes next may depend on what was found.

A strategy is a generator: it yields runs that may go at the same time and is sent their members.
"""

import itertools
import math
import statistics
from collections.abc import Generator, Mapping, Sequence
from typing import Any

from seedbed.errors import ConfigError
from seedbed.metric.glossary import better
from seedbed.study.plan import Planned, Planner, Setting
from seedbed.study.seeds import generated
from seedbed.study.space import Space, values
from seedbed.verdict.members import Member

Wave = list[Planned]
Strategy = Generator[Wave, list[Member], None]
# The mark and the keys of one repetition of a setting.
Repetition = tuple[str, dict[str, int | bool | None]]


def product(planner: Planner, space: Space) -> list[Setting]:
    """Every combination of the listed values, the last key varying fastest."""
    listed = [[(key, value) for value in values(key, override)] for key, override in space.swept.items()]
    return [planner.setting(dict(combination)) for combination in itertools.product(*listed)]


def repetitions(space: Space, num_seeds: int | None, root: int) -> list[Repetition]:
    """The seeds of each setting of the first stage: generated, or as typed.

    Raises:
        ConfigError: where both are asked for.
    """
    if num_seeds is None:
        listed = [[(key, int(value)) for value in found] for key, found in space.seeds.items()]
        return [
            (" ".join(f"{key.rpartition('.')[2]} {value}" for key, value in chosen), dict(chosen))
            for chosen in itertools.product(*listed)
        ]
    if space.seeds:
        raise ConfigError(
            next(iter(space.seeds)),
            expected="one value, because study.num_seeds generates the seeds from the study's root",
            got="a list",
            do="Set study.num_seeds=null, or leave the list out.",
        )
    return fresh(root, "search", num_seeds)


def fresh(root: int, stage: str, num_seeds: int) -> list[Repetition]:
    """Generated seeds of one stage."""
    return [(f"s{place}", {"seed": seed}) for place, seed in enumerate(generated(root, stage, num_seeds))]


def grid(
    planner: Planner,
    settings: Sequence[Setting],
    repeated: Sequence[Repetition],
    study: Mapping[str, Any],
    root: int,
) -> Strategy:
    """Every setting with every seed; with `num_finalists` the protocol follows."""
    honest = study["num_finalists"] is not None
    place = {"stage": "search" if honest else None}
    unread: dict[str, int | bool | None] = {"evaluate_test": False} if honest else {}
    found = yield [
        planner.run(setting, mark, keys | unread, place | {"replicate": number})
        for setting in settings
        for number, (mark, keys) in enumerate(repeated)
    ]
    if honest:
        yield from protocol(planner, ranked(settings, found, study["objectives"]), study, root)


def protocol(planner: Planner, ranking: Sequence[Setting], study: Mapping[str, Any], root: int) -> Strategy:
    """Runs the best again with fresh seeds, then the winner with new ones, reading the test split.

    A setting found by search looks better than it is: its value is the best of many draws. Fresh
    seeds see it as it is, and choose; new seeds again, and the test split once each, report.
    """
    if not ranking or study["num_finalists"] is None:
        return
    finalists, num_seeds = ranking[: study["num_finalists"]], study["num_fresh_seeds"]
    found = yield _stage(planner, finalists, "finalists", root, num_seeds, {"evaluate_test": False})
    if reads_test(planner):
        several = len(study["objectives"]) > 1
        winners = ranked(finalists, found, study["objectives"])[: None if several else 1]
        yield _stage(planner, winners, "refit", root, num_seeds, {"evaluate_test": True})


def _stage(
    planner: Planner,
    settings: Sequence[Setting],
    stage: str,
    root: int,
    num_seeds: int,
    keys: Mapping[str, bool],
) -> Wave:
    return [
        planner.run(setting, f"{stage} {mark}", {**seed, **keys}, {"stage": stage, "replicate": number})
        for setting in settings
        for number, (mark, seed) in enumerate(fresh(root, stage, num_seeds))
    ]


def reads_test(planner: Planner) -> bool:
    """Whether there is a refit, which reads the test split: unless it was typed that none should."""
    return planner.fixed.get("evaluate_test", "true").lower() != "false"


def ranked(settings: Sequence[Setting], found: Sequence[Member], objectives: Sequence[str]) -> list[Setting]:
    """Settings by the mean of the objective over their seeds, best first; unfinished ones are left out.

    With several objectives: those that no other beats in all of them, by the first.
    """
    signs = [1 if better(name) == "lower" else -1 for name in objectives]
    scored = []
    for setting in settings:
        told = mean_values(setting, found, objectives)
        if told is not None:
            scored.append(([sign * value for sign, value in zip(signs, told, strict=True)], setting))
    scores = [score for score, _ in scored]
    front = [
        (score, setting)
        for score, setting in scored
        if len(objectives) == 1 or not any(_dominates(other, score) for other in scores)
    ]
    return [setting for _, setting in sorted(front, key=lambda pair: pair[0])]


def _dominates(one: Sequence[float], other: Sequence[float]) -> bool:
    pairs = list(zip(one, other, strict=True))
    return all(a <= b for a, b in pairs) and any(a < b for a, b in pairs)


def mean_values(setting: Setting, found: Sequence[Member], objectives: Sequence[str]) -> list[float] | None:
    """Means over the setting's seeds; None unless every seed finished with a number."""
    own = [member for member in found if member.setting == setting.digest]
    if not own or any(member.status != "FINISHED" for member in own):
        return None
    told = [statistics.fmean(_objective(member, name) for member in own) for name in objectives]
    return None if any(math.isnan(value) for value in told) else told


def _objective(member: Member, name: str) -> float:
    if name not in member.metrics:
        raise ConfigError(
            "study.objectives",
            expected="metrics of a finished run: " + ", ".join(sorted(member.metrics)),
            got=name,
            do="Choose one, or set data.val_fraction above 0 for validation metrics.",
        )
    return member.metrics[name]


def variance(
    planner: Planner, settings: Sequence[Setting], streams: Sequence[str], num_seeds: int, root: int
) -> Strategy:
    """Each stream alone over all seeds, the others as the root seed has them; then all together."""
    seeds = generated(root, "search", num_seeds)
    yield [
        planner.run(
            setting,
            f"{stream} s{number}",
            {"seed": root, f"streams.{stream}": seed} if stream != "all" else {"seed": seed},
            {"stage": f"vary {stream}", "replicate": number},
        )
        for setting in settings
        for stream in (*streams, "all")
        for number, seed in enumerate(seeds)
    ]
