"""The tree of YAML files, the schemas and the constructors say the same thing about every key."""

from collections.abc import Callable, Iterator
from dataclasses import fields
from inspect import Parameter, signature
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from hydra.utils import get_object
from omegaconf import OmegaConf

from seedbed import config

CONF = config.folder()
FROZEN = Path(__file__).with_name("frozen_keys.txt")
OPTIONS = [(group, option) for group, options in config.SCHEMAS.items() for option in options]
TARGETS = [
    (group, option) for group, option in OPTIONS if group not in ("trainer", "track", "study", "launch")
]
# What only exists at run time and is given by assembly.
AT_RUN_TIME = {
    "model": {"input_shape", "num_classes"},
    "schedule": {"total_steps"},
    "optimizer": {"params"},
}


def written(path: Path) -> dict[str, Any]:
    """What a YAML file says itself, apart from its defaults list."""
    container = OmegaConf.to_container(OmegaConf.load(path))
    assert isinstance(container, dict)
    return {str(key): value for key, value in container.items() if key not in ("defaults", "hydra")}


def in_all(group: str, option: str) -> dict[str, Any]:
    """What a YAML file says with what it takes over from another option of its group."""
    loaded = OmegaConf.to_container(OmegaConf.load(CONF / group / f"{option}.yaml"))
    assert isinstance(loaded, dict)
    defaults = loaded.get("defaults", [])
    taken_over = [name for name in defaults if name in config.SCHEMAS[group]]
    inherited = {key: value for name in taken_over for key, value in in_all(group, name).items()}
    return inherited | written(CONF / group / f"{option}.yaml")


def target(group: str, option: str) -> Any:
    return get_object(written(CONF / group / f"{option}.yaml")["_target_"])


def own_keys(schema: Any) -> set[str]:
    return {item.name for item in fields(schema)} - {"_target_", "_partial_"}


def taken(found: Callable[..., Any]) -> Iterator[Parameter]:
    """The parameters of a constructor, with the keys that `**common: Unpack[Keys]` hands on written out."""
    for parameter in signature(found).parameters.values():
        if parameter.kind is not Parameter.VAR_KEYWORD:
            yield parameter
            continue
        (keys,) = get_args(parameter.annotation)
        assert keys.__total__, "a key that may be left out has its value somewhere else"
        for name, kind in get_type_hints(keys).items():
            yield Parameter(name, Parameter.KEYWORD_ONLY, annotation=kind)


def frozen() -> str:
    return "".join(sorted(f"{option or 'every run'}: {key}\n" for option, key, _ in config.documented_keys()))


# Files and schemas -----------------------------------------------------------------------------------


def test_every_option_has_a_file_and_every_file_is_an_option() -> None:
    own = ("experiment", "hydra")
    files = {(path.parent.name, path.stem) for path in CONF.glob("*/*.yaml") if path.parent.name not in own}
    assert files == set(OPTIONS)


@pytest.mark.parametrize(("group", "option"), OPTIONS)
def test_a_file_gives_a_value_for_exactly_the_keys_of_its_schema(group: str, option: str) -> None:
    schema: Any = config.SCHEMAS[group][option]
    assert set(in_all(group, option)) == {item.name for item in fields(schema)}


def test_the_root_file_gives_a_value_for_every_key_of_its_own() -> None:
    root = written(CONF / "train.yaml")
    assert set(root) - {"features"} == {item.name for item in fields(config.Root)} - set(config.SCHEMAS)
    for name, schema in config.ROOT_CHOICES.items():
        assert set(root[name]) == own_keys(schema)


def test_no_schema_has_a_default_that_would_hide_a_missing_value() -> None:
    schemas = {schema for options in config.SCHEMAS.values() for schema in options.values()}
    for schema in schemas | set(config.ROOT_CHOICES.values()):
        assert OmegaConf.missing_keys(schema) == {item.name for item in fields(schema)}


# Targets and constructors ----------------------------------------------------------------------------


@pytest.mark.parametrize(("group", "option"), TARGETS)
def test_every_target_exists_and_is_on_the_list(group: str, option: str) -> None:
    assert written(CONF / group / f"{option}.yaml")["_target_"].startswith(config.ALLOWED_TARGETS)
    assert callable(target(group, option))


@pytest.mark.parametrize(("group", "option"), TARGETS)
def test_the_keys_of_a_schema_are_the_parameters_of_its_constructor(group: str, option: str) -> None:
    found = target(group, option)
    given = AT_RUN_TIME.get(group, set())
    parameters = {one.name: one for one in taken(found) if one.name not in given}
    keys = own_keys(config.SCHEMAS[group][option])
    if found.__module__.startswith("seedbed."):
        assert keys == set(parameters)
        hidden = [name for name, parameter in parameters.items() if parameter.default is not Parameter.empty]
        assert not hidden, "a default in a constructor hides a value that should stand in the YAML"
        assert all(parameter.kind is Parameter.KEYWORD_ONLY for parameter in parameters.values())
    else:
        # Of another package's many parameters we expose some, but all that it cannot do without.
        needed = {name for name, parameter in parameters.items() if parameter.default is Parameter.empty}
        assert needed <= keys <= set(parameters)


def test_the_keys_handed_on_are_those_of_the_class_they_are_handed_to() -> None:
    from seedbed.data.image_module import ImageModule
    from seedbed.data.keys import DataKeys, ImageKeys
    from seedbed.data.module import DataModule

    for keys, receiver in ((DataKeys, DataModule), (ImageKeys, ImageModule)):
        expected = {one.name: one.annotation for one in taken(receiver)}
        assert get_type_hints(keys) == expected


def test_the_root_choices_are_what_the_code_takes() -> None:
    from seedbed.objective import Objective
    from seedbed.streams import Streams

    assert own_keys(config.Objective) == set(Objective._fields)
    assert own_keys(config.Pinned) == set(Streams._fields)


# The surface -----------------------------------------------------------------------------------------


def test_the_surface_is_frozen() -> None:
    now, then = set(frozen().splitlines()), set(FROZEN.read_text().splitlines())
    assert now == then, (
        f"New keys: {sorted(now - then)}. Lost keys: {sorted(then - now)}. A lost or renamed key breaks "
        "every recorded command: if that is meant, run `.venv/bin/python tests/test_config.py`."
    )


def test_every_key_is_documented_once() -> None:
    documented = list(config.documented_keys())
    assert all(meaning for _, _, meaning in documented)
    assert len({(option, key) for option, key, _ in documented}) == len(documented)


def test_circumstances_are_places_and_processes_never_what_moves_a_result() -> None:
    circumstances = config.circumstances()
    assert {
        "data.root",
        "data.download",
        "track.root",
        "track.experiment",
        "trainer.progress_bar",
    } <= circumstances
    known = {key for _, key, _ in config.documented_keys()}
    assert circumstances <= known
    movers = {
        key
        for key in known
        if key.split(".")[0] in ("model", "optimizer", "schedule", "objective", "streams")
    }
    movers |= {"seed", "data.batch_size", "data.val_fraction", "trainer.max_epochs", "trainer.precision"}
    movers |= {"data.num_folds", "data.fold", "data.num_inner_folds", "data.inner_fold"}
    assert not circumstances & movers


def test_a_key_is_a_circumstance_in_every_option_or_in_none() -> None:
    kinds: dict[str, set[bool]] = {}
    for group, option in OPTIONS:
        schema: Any = config.SCHEMAS[group][option]
        for item in fields(schema):
            kinds.setdefault(f"{group}.{item.name}", set()).add(item.metadata["circumstance"])
    assert [key for key, kind in kinds.items() if len(kind) > 1] == []


if __name__ == "__main__":
    FROZEN.write_text(frozen())
