"""What a study varies: Hydra's sweep words as lists of values, or as distributions to search.

Ends: `range(a,b,step)` excludes b, `interval(a,b)` includes both, `int(interval(a,b))` too.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import IntervalSweep, Override, RangeSweep, Sweep

from seedbed.errors import ConfigError

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

# Digits of a number drawn from an interval: what a run's page can show and a person can type.
NUM_DIGITS = 4
# What no setting consists of.
SEED_KEYS = ("seed", "streams.")


class Space(NamedTuple):
    """Arguments of a multirun, taken apart.

    Args:
        fixed: keys with one value, as typed.
        swept: keys with several, as parsed.
        seeds: the listed values of `seed` and of pinned streams.
    """

    fixed: dict[str, str]
    swept: dict[str, Override]
    seeds: dict[str, list[str]]


def parsed(space: Mapping[str, str], arguments: Sequence[str], loader: Any) -> Space:
    """The arguments over those that the study brings with it; a typed key replaces the study's.

    Args:
        space: key to sweep words.
        arguments: as typed, without Hydra's own.
        loader: Hydra's config loader, which knows the groups.

    Raises:
        ConfigError: for seeds that are drawn from an interval.
    """
    words = [f"{key}={value}" for key, value in space.items()]
    found = Space({}, {}, {})
    for override in OverridesParser.create(config_loader=loader).parse_overrides([*words, *arguments]):
        key = override.get_key_element()
        for place in found:
            place.pop(key, None)
        if not override.is_sweep_override():
            found.fixed[key] = override.get_value_element_as_str()
        elif key.startswith(SEED_KEYS):
            found.seeds[key] = values(key, override)
        else:
            found.swept[key] = override
    return found


def values(key: str, override: Override) -> list[str]:
    """The listed values of a key, in order.

    Raises:
        ConfigError: for an interval, which lists none.
    """
    if not override.is_discrete_sweep():
        raise ConfigError(
            key,
            expected="a list such as 0.1,0.01 or range(0,5), because study=grid runs every value",
            got=override.get_value_string(),
            do="List the values, or search the interval: study=quasi_random (exploration) or study=tpe.",
        )
    found = list(override.sweep_string_iterator())
    if not found:
        raise _empty(key, override)
    return found


def distribution(key: str, override: Override) -> "BaseDistribution":
    """Where a search draws a key's value from.

    Raises:
        ConfigError: for an empty range, or a log scale that reaches 0.
    """
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    sweep = override.value()
    assert isinstance(sweep, Sweep)
    if isinstance(sweep, IntervalSweep):
        return _interval(key, override, sweep)
    if isinstance(sweep, RangeSweep):
        numbers = sorted(sweep.range())
        if not numbers:
            raise _empty(key, override)
        step = abs(sweep.step)
        if all(isinstance(number, int) for number in numbers):
            return IntDistribution(numbers[0], numbers[-1], step=int(step))
        return FloatDistribution(numbers[0], numbers[-1], step=float(step))
    return CategoricalDistribution(values(key, override))


def _interval(key: str, override: Override, sweep: IntervalSweep) -> "BaseDistribution":
    from optuna.distributions import FloatDistribution, IntDistribution

    low, high, log = sweep.start, sweep.end, "log" in sweep.tags
    assert low is not None
    assert high is not None
    if low >= high or (log and low <= 0):
        raise ConfigError(
            key,
            expected="interval(LOW,HIGH) with LOW below HIGH" + (", both above 0 on a log scale" * log),
            got=override.get_value_string(),
            do="Correct the ends; both belong to the interval.",
        )
    whole = isinstance(low, int) and isinstance(high, int)
    if whole:
        return IntDistribution(int(low), int(high), log=log)
    return FloatDistribution(float(low), float(high), log=log)


def typed(distribution: "BaseDistribution", value: Any) -> str:
    """A drawn value as one would type it: a fraction with four digits, within its ends.

    Example:
        >>> from optuna.distributions import FloatDistribution
        >>> typed(FloatDistribution(0.0001, 0.1, log=True), 0.0123456789)
        '0.01235'
    """
    if not isinstance(value, float):
        return str(value)
    ends: Any = distribution
    return repr(min(max(float(f"{value:.{NUM_DIGITS}g}"), ends.low), ends.high))


def _empty(key: str, override: Override) -> ConfigError:
    return ConfigError(
        key,
        expected="at least one value",
        got=f"{override.get_value_string()}, which has none",
        do="range(0,3) gives 0, 1, 2: its end is excluded.",
    )
