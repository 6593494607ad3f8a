"""A saved job under other circumstances: elsewhere, with more processes, with other files at hand."""

import copy
from collections.abc import Collection
from dataclasses import replace
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import OverrideType
from hydra.errors import OverrideParseException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from seedbed.config import ROOT_CHOICES, SCHEMAS, Root, circumstances
from seedbed.errors import ConfigError
from seedbed.job import Job, check_seeds, check_targets, leaves
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
    changed = _values(
        job,
        overrides,
        [key for key in _own(job) if key in circumstances()],
        expected="KEY=VALUE, with a KEY that cannot move the result",
        got="one that can, or that this run does not have",
        do="Start a new run to change anything else.",
    )
    return replace(job, config=_with(job.config, changed), changed=list(overrides))


def altered(job: Job, overrides: Collection[str]) -> Job:
    """The job with any of its keys changed, but for its place and what a study sets.

    Args:
        job: as it was saved.
        overrides: `KEY=VALUE`, as Hydra reads them.

    Raises:
        ConfigError: for a key that this run does not have, and for a value that cannot be.
    """
    changed = _values(
        job,
        overrides,
        _own(job),
        expected="KEY=VALUE, with a KEY of this run",
        got="one that it does not have, or that only its place or its study sets",
        do="Correct it or leave it out.",
    )
    config = _with(job.config, changed)
    check_targets(config)
    check_seeds(config)
    tuned = {key: value for key, value in changed.items() if key != "seed"}
    return replace(job, config=config, overridden=job.overridden | tuned)


def _own(job: Job) -> list[str]:
    """The keys of this run, without those that its place or a study sets, and how it was launched."""
    keys = {key for key, _ in leaves(job.config)} - {*PLACE, *SCHEMAS}  # a group without an option is a leaf
    return sorted(key for key in keys if not key.startswith(("study.", "launch.")))


def _values(job: Job, overrides: Collection[str], allowed: Collection[str], **refused: str) -> dict[str, Any]:
    """What the overrides give to their keys; `refused` is said of one whose key is not allowed."""
    try:
        parsed = OverridesParser.create().parse_overrides(list(overrides))
    except OverrideParseException as error:
        raise explain(error, list(overrides)) from error
    for override in parsed:
        if override.type is not OverrideType.CHANGE or override.key_or_group not in allowed:
            told = refused | {"expected": f"{refused['expected']}: {', '.join(allowed)}"}
            raise ConfigError(str(override.input_line), **told)
    return {item.key_or_group: _typed(job, item.key_or_group, item.value()) for item in parsed}


def _with(config: dict[str, Any], changed: dict[str, Any]) -> dict[str, Any]:
    """A copy of the config in which these dotted keys have these values."""
    config = copy.deepcopy(config)
    for key, value in changed.items():
        group, _, name = key.rpartition(".")
        (config[group] if group else config)[name] = value
    return config


def _typed(job: Job, key: str, value: Any) -> Any:
    """The value as the schema of the key's group has it."""
    group, _, name = key.rpartition(".")
    schema = Root if not group else ROOT_CHOICES.get(group) or SCHEMAS[group][job.choices[group]]
    node = OmegaConf.structured(schema)
    try:
        OmegaConf.update(node, name, value)
    except OmegaConfBaseException as error:
        raise ConfigError(
            key, expected=wanted(str(error)), got=repr(value), do=f"Give {key} such a value."
        ) from error
    typed = node[name]
    return OmegaConf.to_container(typed) if OmegaConf.is_config(typed) else typed
