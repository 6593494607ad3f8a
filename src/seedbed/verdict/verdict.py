"""A difference in words, then numbers.

An open question is called open, with what it would take to settle it; that a test found nothing is
never told as a finding.
"""

from seedbed.verdict.power import MAX_NUM_SEEDS
from seedbed.verdict.resampling import Permutation
from seedbed.verdict.setting import Pair
from seedbed.verdict.unit import Unit, told_p

# 2/2^5 is above 0.05, 2/2^6 below.
FEWEST_PAIRS = 6


def sentence(pair: Pair, unit: Unit, margin: float | None = None) -> str:
    """The verdict on one pair.

    Args:
        pair: two settings and their difference, corrected for all pairs.
        unit: how the metric is told.
        margin: largest difference that does not matter, as told; None: not asked.
    """
    difference = pair.difference
    if difference.estimate is None:
        return _without_test(pair, unit)
    if difference.different:
        also = f"; equivalent within {margin:g} {unit.name}".rstrip() if difference.equivalent else ""
        return f"{_ahead(pair, unit)}, {_evidence(pair)}{also}"
    numbers = f"difference {_size(pair, unit)}, {_evidence(pair)}"
    if difference.equivalent:
        within = f"{pair.a.name} and {pair.b.name} are equivalent within {margin:g} {unit.name}".rstrip()
        return f"{within}: {numbers}, equivalence p {told_p(difference.p_equivalent)}"
    return f"{pair.a.name} against {pair.b.name}: open; {_would_tell(pair)}{numbers})"


def _oriented(pair: Pair, unit: Unit) -> tuple[str, str, float]:
    """Names of the better and the other setting, and the sign that makes the difference positive."""
    sign = 1.0 if pair.difference.mean >= 0 else -1.0
    first_is_larger = pair.difference.mean >= 0
    first_leads = first_is_larger != (unit.better == "lower")
    ahead, behind = (pair.a, pair.b) if first_leads else (pair.b, pair.a)
    return ahead.name, behind.name, sign


def _ahead(pair: Pair, unit: Unit) -> str:
    ahead, behind, _ = _oriented(pair, unit)
    return f"{ahead} {'beats' if unit.better else 'is higher than'} {behind} by {_size(pair, unit)}"


def _size(pair: Pair, unit: Unit) -> str:
    """The difference, told as positive, with its interval."""
    sign = 1.0 if pair.difference.mean >= 0 else -1.0
    interval = pair.difference.interval
    assert interval is not None
    low, high = sorted(sign * end for end in interval)
    decided = (low,) if low > 0 else ()
    half, mean = (high - low) / 2, abs(pair.difference.mean)
    decimals = unit.decimals(half, max(mean, half / 10), *decided)
    ends = f"[{unit.told(low, decimals)}, {unit.told(high, decimals)}]"
    return f"{unit.named(sign * pair.difference.mean, decimals)} {ends}"


def _evidence(pair: Pair) -> str:
    difference = pair.difference
    told = f"n = {_counted(pair)}, p {told_p(difference.p_corrected)}"
    if difference.design.ratio:
        return f"{told}, corrected for the training examples that folds share"
    return f"{told}; {_permuted(difference.permutation, pair)}" if difference.permutation else told


def _counted(pair: Pair) -> str:
    difference = pair.difference
    if difference.design.paired:
        return f"{difference.num_a} pairs" + (" of folds" if difference.design.ratio else "")
    return f"{difference.num_a} and {difference.num_b} unpaired runs"


def _permuted(found: Permutation, pair: Pair) -> str:
    test = "sign-flip" if pair.difference.design.paired else "exchange of runs"
    if not found.exact:
        return f"{test} {found.p_value:.2g} (random draws; they allow no less than {found.smallest:.2g})"
    nums = f"{pair.difference.num_a} pairs" if pair.difference.design.paired else "so many runs"
    if found.p_value <= found.smallest * (1 + 1e-9):
        return f"exact {test} {found.p_value:.3g}, the smallest that {nums} allow"
    return f"exact {test} {found.p_value:.3g}, where {nums} allow no less than {found.smallest:.3g}"


def _would_tell(pair: Pair) -> str:
    """What it takes to settle an open pair, up to the bracket that the numbers go on with."""
    number = pair.difference.num_seeds
    unit = "fold runs" if pair.difference.design.ratio else "seeds"
    if number is None:
        return f"the observed difference is 0, for which no number of {unit} follows ("
    if number > MAX_NUM_SEEDS:
        return f"more than {MAX_NUM_SEEDS:,} {unit} would be needed ("
    more = number - min(pair.difference.num_a, pair.difference.num_b)
    return f"about {number:,} {unit} would tell ({more:,} more; "


def _without_test(pair: Pair, unit: Unit) -> str:
    """One run a setting, or runs without any spread: a difference, but no t test."""
    difference = pair.difference
    versus = f"{pair.a.name} against {pair.b.name}"
    size = abs(difference.mean)
    told = unit.named(size, unit.decimals(size))
    if min(difference.num_a, difference.num_b) < 2:
        return (
            f"{versus}: open; one run a setting has no interval (difference {told}). Two pairs give one; "
            f"{FEWEST_PAIRS} are the fewest whose sign-flip test can go below 0.05"
        )
    each = f"each of {difference.num_a} pairs" if difference.design.paired else "all runs"
    if not difference.mean:
        return f"{versus}: the same value in {each}"
    ahead, behind, _ = _oriented(pair, unit)
    verb = "is better than" if unit.better else "is higher than"
    test = f"; {_permuted(difference.permutation, pair)}" if difference.permutation else ""
    return f"{ahead} {verb} {behind} by {told} in {each}, without any spread: no t test exists{test}"
