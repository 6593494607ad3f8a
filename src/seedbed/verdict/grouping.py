"""Which runs are repetitions of one setting, what the setting is called, and whether its runs are folds."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from seedbed.verdict.members import FOLDS, Member

# Params by which programs of others tell repetitions apart.
SEED_LIKE = re.compile(r"(^|[._/])(\w*_)?(seed|seed_everything|random_state|fold|repeat|replicate)$")
NUM_FOLDS = ("data.num_folds", "data.num_inner_folds")
DEFAULT = "default"


def is_repetition(key: str) -> bool:
    """Whether a param of this name tells repetitions of one setting apart, not settings."""
    return key.startswith("streams.") or key in FOLDS or bool(SEED_LIKE.search(key.lower()))


def grouped(runs: Sequence[Member], by: str | None = None) -> list[list[Member]]:
    """The runs of each setting, in the order of first appearance.

    Args:
        runs: runs of this project go by the digest of their config; runs of other programs by all params
            that differ between them and do not look like seeds.
        by: a param to go by instead.
    """
    foreign = differing([run.params for run in runs if not run.setting])
    groups: dict[object, list[Member]] = defaultdict(list)
    for run in runs:
        if by is not None:
            groups[run.params.get(by)].append(run)
        else:
            groups[run.setting or tuple(run.params.get(key) for key in foreign)].append(run)
    return list(groups.values())


def differing(params: Iterable[Mapping[str, str]]) -> list[str]:
    """Keys that do not have one value everywhere, seeds and folds left out, in order of appearance."""
    listed = list(params)
    keys = dict.fromkeys(key for found in listed for key in found if not is_repetition(key))
    return [key for key in keys if len({found.get(key) for found in listed}) > 1]


def labels(groups: Sequence[Sequence[Member]], by: str | None = None) -> list[dict[str, str]]:
    """What tells each group apart: the params that differ between the groups' first runs."""
    firsts = [group[0].params for group in groups]
    telling = [by] if by else differing(firsts) or ["model"]
    return [{key: params.get(key, "") for key in telling} for params in firsts]


def names(told: Sequence[Mapping[str, str]]) -> list[str]:
    """One short name a group: an option alone, a number with the last word of its key.

    Of several keys only as many as it takes to tell the groups apart. Groups that their params do not
    tell apart are numbered.
    """
    chosen = _enough(told)
    enough = [{key: one[key] for key in chosen if key in one} for one in told]
    short = [" ".join(_word(key.rpartition(".")[2], value) for key, value in one.items()) for one in enough]
    if len(set(short)) < len(short):
        short = [" ".join(_word(key, value) for key, value in one.items()) for one in enough]
    counts, seen = Counter(short), Counter[str]()
    numbered = []
    for name in short:
        seen[name] += 1
        numbered.append(f"{name} ({seen[name]})" if counts[name] > 1 else name)
    return numbered


def _enough(told: Sequence[Mapping[str, str]]) -> list[str]:
    """The first key that tells all groups apart, else the fewest first ones that do, else all."""
    keys = list(dict.fromkeys(key for one in told for key in one))
    single = [[key] for key in keys if all(key in one for one in told)]
    for chosen in single + [keys[:count] for count in range(2, len(keys))]:
        if len({tuple(one.get(key) for key in chosen) for one in told}) == len(told):
            return chosen
    return keys


def _word(key: str, value: str) -> str:
    is_word = re.match(r"[A-Za-z_]", value) and value.lower() not in ("null", "none", "true", "false")
    return value if is_word else f"{key} {value or DEFAULT}"


def fold_ratio(runs: Sequence[Member]) -> float:
    """Examples tested over examples trained on, 1 / (K - 1), where every run is one of K folds; else 0."""
    for key, num_key, place in zip(FOLDS, NUM_FOLDS, (0, 1), strict=True):
        if runs and all(run.fold[place] != "null" for run in runs):
            num_folds = max(int(run.params.get(num_key, int(run.params[key]) + 1)) for run in runs)
            return 1 / (num_folds - 1)
    return 0.0
