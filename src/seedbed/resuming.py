"""A saved job under other circumstances: elsewhere, with more processes, with other files at hand."""

import copy
from collections.abc import Collection
from dataclasses import replace
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, OverrideType
from hydra.errors import OverrideParseException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from seedbed.config import SCHEMAS, circumstances
from seedbed.errors import ConfigError
from seedbed.job import Job, leaves
from seedbed.manual import explain, wanted

# Where the record is and what it belongs to: a run that is on record keeps its place.
PLACE = ("track.root", "track.experiment", "track.run_name", "track.parent_run_id", "track.run_id")


def under(job: Job, overrides: Collection[str]) -> Job:
    """The job with these circumstances changed, and nothing else of it.

    Args:
        job: as it was saved.
        overrides: `KEY=VALUE`, as Hydra reads them.

    Raises:
        ConfigError: for a key that can move the result or that this run does not have, and for a
            value of the wrong type.
    """
    try:
        parsed = OverridesParser.create().parse_overrides(list(overrides))
    except OverrideParseException as error:
        raise explain(error) from error
    config = copy.deepcopy(job.config)
    allowed = _changeable(job)
    for override in parsed:
        key = override.key_or_group
        _check(override, allowed)
        group, _, name = key.partition(".")
        config[group][name] = _typed(job, key, override.value())
    return replace(job, config=config, changed=list(overrides))


def _changeable(job: Job) -> list[str]:
    """The keys of this run that cannot move its result, without those that a study or its place sets."""
    keys = {key for key, _ in leaves(job.config)} & circumstances()
    return sorted(key for key in keys if key not in PLACE and not key.startswith("study."))


def _check(override: Override, allowed: Collection[str]) -> None:
    if override.type is not OverrideType.CHANGE or override.key_or_group not in allowed:
        raise ConfigError(
            str(override.input_line),
            expected="KEY=VALUE, with a KEY that cannot move the result: " + ", ".join(allowed),
            got="one that can, or that this run does not have",
            do="Start a new run to change anything else.",
        )


def _typed(job: Job, key: str, value: Any) -> Any:
    """The value as the schema of the key's group has it."""
    group, _, name = key.partition(".")
    node = OmegaConf.structured(SCHEMAS[group][job.choices[group]])
    try:
        OmegaConf.update(node, name, value)
    except OmegaConfBaseException as error:
        raise ConfigError(
            key, expected=wanted(str(error)), got=repr(value), do=f"Give {key} such a value."
        ) from error
    return node[name]
