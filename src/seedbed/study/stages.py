"""What a study will run, in words and numbers, before it runs."""

from collections.abc import Iterator, Sequence

from seedbed.launch.launcher import Launcher
from seedbed.study.outline import Outline
from seedbed.study.plan import Planned
from seedbed.study.strategy import reads_test
from seedbed.terminal import counted

# What happens, and the number of runs it takes.
Stage = tuple[str, int]
NUM_LISTED = 20


def announced(who: str, outline: Outline, wave: Sequence[Planned], launcher: Launcher) -> Iterator[str]:
    """The lines that say what a study will run.

    Args:
        who: the study.
        outline: what was asked for.
        wave: the first runs, as far as they are known.
        launcher: that would make them.
    """
    listed = stages(outline)
    yield f"{who} ({outline.kind}), {sum(number for _, number in listed)} runs:"
    for told, number in listed:
        yield f"  {number:>4}  {told}"
    if wave:
        names = [planned.name for planned in wave[:NUM_LISTED]]
        more = f" and {len(wave) - NUM_LISTED} more" if len(wave) > NUM_LISTED else ""
        yield f"First: {', '.join(names)}{more}"
    yield from launcher.told([planned.job for planned in wave] if wave else [outline.example])
    if outline.kind == "variance" and outline.streams[1]:
        yield f"Left out, because they cannot move this result: {', '.join(outline.streams[1])}"


def stages(outline: Outline) -> list[Stage]:
    """The stages of a study; of a search, and of finalists, the most that there can be."""
    if outline.kind == "variance":
        return [_streams(outline)]
    if outline.kind == "cross_validation":
        return _folds(outline)
    study, seeds = outline.study, len(outline.repeated)
    num_settings = study["num_trials"] if outline.searches else len(outline.settings)
    first = (f"{counted(num_settings, 'setting')} x {counted(seeds, 'seed')}", num_settings * seeds)
    if study["num_finalists"] is None:
        return [first]
    finalists, fresh = min(study["num_finalists"], num_settings), study["num_fresh_seeds"]
    found = [first, (f"the best {finalists} again x {counted(fresh, 'fresh seed')}", finalists * fresh)]
    if reads_test(outline.planner):
        found.append((f"the winner refitted x {counted(fresh, 'new seed')}, and the test split read", fresh))
    return found


def _streams(outline: Outline) -> Stage:
    moving, seeds = len(outline.streams[0]), outline.study["num_seeds"]
    told = f"{counted(moving, 'stream')} one at a time, then all, x {counted(seeds, 'seed')}"
    return told, (moving + 1) * seeds * len(outline.settings)


def _folds(outline: Outline) -> list[Stage]:
    data = outline.planner.job(outline.settings[0]).config["data"]
    num_settings, seeds, inner = len(outline.settings), len(outline.repeated), data["num_inner_folds"]
    told = f"{counted(num_settings, 'setting')} x {data['num_folds']} folds x {counted(seeds, 'repeat')}"
    outer = data["num_folds"] * seeds
    if not inner:
        return [(told, num_settings * outer)]
    return [
        (f"{told} x {inner} inner folds", num_settings * outer * inner),
        ("the best setting of each fold, tested on the fold", outer),
    ]
