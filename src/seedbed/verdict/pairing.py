"""Which run of one setting is the partner of which run of another."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from seedbed.verdict.grouping import is_repetition
from seedbed.verdict.members import Member


class Partners(NamedTuple):
    """Runs that belong together, place by place; empty where the settings are not paired.

    Args:
        a: runs of the first setting.
        b: their partners.
        alone: runs of either without a partner, left out of the comparison.
    """

    a: list[Member]
    b: list[Member]
    alone: list[Member]


def partners(a: Sequence[Member], b: Sequence[Member], also: Sequence[str] = ()) -> Partners:
    """Pairs the runs that share the root seeds of split and order, and the fold.

    They met the same examples in the same order, so what is left between them is the setting. Where only
    some have a partner, these are paired, if they are at least two.

    Args:
        a: runs of one setting.
        b: runs of another.
        also: params that partners share too.
    """
    # Where streams are pinned, several runs share split and order; their seeds then tell who is whose.
    found = [_met(a, b, also), _met(a, b, (*also, "seed"))]
    return max(found, key=lambda met: len(met.a))


def _met(a: Sequence[Member], b: Sequence[Member], also: Sequence[str]) -> Partners:
    first, second = _single(a, also), _single(b, also)
    shared = [key for key in first if key in second]
    everyone = len(shared) == len(a) == len(b)
    if not shared or (len(shared) < 2 and not everyone):
        return Partners([], [], [])
    paired_a, paired_b = [first[key] for key in shared], [second[key] for key in shared]
    met = {run.run_id for run in (*paired_a, *paired_b)}
    return Partners(paired_a, paired_b, [run for run in (*a, *b) if run.run_id not in met])


def _single(runs: Sequence[Member], also: Sequence[str]) -> dict[tuple[str, ...], Member]:
    """The runs whose seeds no other run of their setting has."""
    keys = [_key(run, also) for run in runs]
    counts = Counter(keys)
    return {key: run for key, run in zip(keys, runs, strict=True) if key and counts[key] == 1}


def _key(run: Member, also: Sequence[str]) -> tuple[str, ...]:
    roots = (run.root("split"), run.root("order"))
    if None in roots:
        # Another program's run: whatever looks like a seed or a fold.
        seeds = [f"{key} {value}" for key, value in sorted(run.params.items()) if is_repetition(key)]
    else:
        seeds = [str(root) for root in roots] + list(run.fold)
    return (*seeds, *(run.params.get(key, "") for key in also)) if seeds else ()
