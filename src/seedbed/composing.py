"""A job from what Hydra composed; what no run could heed, or nothing may name, is refused here."""

from collections.abc import Collection, Mapping
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from seedbed.config import SCHEMAS, Root, folder, register
from seedbed.errors import ConfigError
from seedbed.job import Job, check_seeds, check_targets, leaves
from seedbed.manual import explain

# What a single run does not heed, whoever launches it.
NUM_AT_A_TIME = ("launch.num_parallel", "launch.array_parallelism")


def composed(overrides: Collection[str], command: str) -> Job:
    """The run that the same words after `seedbed train` would make.

    Args:
        overrides: `GROUP=OPTION` and `KEY=VALUE`, as Hydra reads them.
        command: what the user typed.

    Raises:
        ConfigError: for what does not compose, several values of a key among them, and as `resolve`.
    """
    register()
    try:
        _check_single(overrides)
        with initialize_config_dir(str(folder()), version_base="1.3"):
            whole = compose("train", list(overrides), return_hydra_config=True)
            hydra = whole.hydra
            del whole.hydra
            return from_hydra(whole, hydra, command)
    except (HydraException, OmegaConfBaseException) as error:
        raise explain(error, list(overrides)) from error


def _check_single(overrides: Collection[str]) -> None:
    """Refuses several values of a key."""
    for override in OverridesParser.create().parse_overrides(list(overrides)):
        if override.is_sweep_override():
            raise ConfigError(
                override.key_or_group,
                expected="one value",
                got=f"several in {override.input_line!r}",
                do="Give one of them.",
            )


def from_hydra(composed: DictConfig, hydra: Any, command: str) -> Job:
    """The job that Hydra composed.

    Args:
        composed: the config, without Hydra's own node.
        hydra: that node: it knows the option chosen in each group, and what was typed.
        command: what the user typed.

    Raises:
        ConfigError: as `resolve`.
    """
    choices = dict(hydra.runtime.choices)
    chosen = tuple((group, choices[group]) for group in SCHEMAS if choices.get(group))
    return resolve(composed, choices, _base(chosen), list(hydra.overrides.task), command)


@cache
def _base(chosen: tuple[tuple[str, str], ...]) -> DictConfig:
    """The chosen options alone, as their files have them; composing would take ten times as long."""
    paths = {group: folder() / group / f"{option}.yaml" for group, option in chosen}
    if not all(path.exists() for path in paths.values()):  # an option of the user's own folder
        return compose("train", [f"{group}={option}" for group, option in chosen])
    return _merged(_file(folder() / "train.yaml"), {group: _file(path) for group, path in paths.items()})


@cache
def _file(path: Path) -> DictConfig:
    """A file of `conf/` with the options that it builds on."""
    own = OmegaConf.load(path)
    assert isinstance(own, DictConfig)
    named = [entry for entry in own.pop("defaults", ()) if isinstance(entry, str)]
    below = [path.with_name(f"{name}.yaml") for name in named if not name.startswith(("/", "_self_"))]
    return _merged(*map(_file, below), own)


def _merged(*parts: DictConfig | dict[str, DictConfig]) -> DictConfig:
    whole = OmegaConf.merge(*parts)
    assert isinstance(whole, DictConfig)
    return whole


def resolve(
    composed: DictConfig,
    choices: Mapping[str, str | None],
    base: DictConfig,
    given: Collection[str],
    command: str,
) -> Job:
    """The job of a composed config.

    Args:
        composed: what Hydra composed from files and command line.
        choices: Hydra's record of the option chosen in each group.
        base: the same choices composed without any override, to tell what was overridden.
        given: the overrides as typed; a key among them counts as overridden even with its old value,
            so that every run of a sweep shows what was swept.
        command: what the user typed.

    Raises:
        ConfigError: for a `_target_` that a configuration may not name, or a negative seed.
    """
    config = _plain(composed)
    check_keys(config, choices)
    check_targets(config)
    check_seeds(config)
    before = dict(leaves(_plain(base, complete=False)))
    typed = {override.partition("=")[0].lstrip("+") for override in given} - {"seed"}
    overridden = {
        dotted: value
        for dotted, value in leaves(config)
        if dotted in typed or (dotted != "seed" and before.get(dotted) != value)
    }
    kept = {group: option for group, option in choices.items() if option and "/" not in group}
    return Job(config, kept, overridden, command)


def _plain(composed: DictConfig, *, complete: bool = True) -> dict[str, Any]:
    container = OmegaConf.to_container(composed, resolve=True, throw_on_missing=complete)
    assert isinstance(container, dict)
    return {str(name): value for name, value in container.items()}


def check_keys(config: Mapping[str, Any], choices: Mapping[str, str | None]) -> None:
    """Refuses a key that no schema knows: Hydra lets `+key=value` through, and nothing would read it.

    Raises:
        ConfigError: naming the key and its siblings.
    """
    known = {"": {item.name for item in fields(Root)}}
    for group, options in SCHEMAS.items():
        if choices.get(group) in options:
            known[group] = {item.name for item in fields(options[str(choices[group])])}
    for group, names in known.items():
        foreign = sorted(set(config[group] if group else config) - names)
        if foreign:
            raise ConfigError(
                f"{group}.{foreign[0]}" if group else foreign[0],
                expected="one of " + ", ".join(sorted(names)),
                got="a key that nothing reads",
                do="Correct its spelling or leave it out.",
            )


def check_alone(given: Collection[str]) -> None:
    """Refuses what only a study heeds, in a single run.

    Raises:
        ConfigError: saying to add -m.
    """
    for override in given:
        key, _, value = override.partition("=")
        if key == "study" or key.startswith("study.") or key in NUM_AT_A_TIME:
            raise ConfigError(
                key,
                expected="a study, because a single run does not heed it",
                got=f"{value} without -m",
                do="Add -m: seedbed train -m ...",
            )
