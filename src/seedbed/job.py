"""One run as a value: its resolved config, where each part came from, and its identity.

A job is plain data: it is what a process group starts from, what a queue keeps, and what a
reproduction reads back. Nothing here imports torch, so a wrong configuration is refused at once.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any

from hydra import compose
from omegaconf import DictConfig, OmegaConf

from seedbed.config import ALLOWED_TARGETS, SCHEMAS, Root, circumstances
from seedbed.errors import ConfigError

# What tells the repetitions of one setting apart: seeds, folds, and whether the test split was read.
REPETITION = ("seed", "streams", "data.fold", "data.inner_fold", "evaluate_test")
# Fields that most jobs have nothing in.
SILENT = ("changed", "reproduces")
# Groups whose option says nothing of a result.
UNCOMPARED = ("track", "study", "launch")
# What a single run does not heed, whoever launches it.
NUM_AT_A_TIME = ("launch.num_parallel", "launch.array_parallelism")


@dataclass(frozen=True)
class Job:
    """A resolved run.

    Args:
        config: every key with its value, nothing left to interpolate.
        choices: config group to the option chosen for it.
        overridden: dotted keys whose value is not the one in the option's own file.
        command: what the user typed.
        changed: circumstances, as typed, in which the run goes on and did not start.
        reproduces: MLflow's id of the run that this one repeats; empty: none.
    """

    config: dict[str, Any]
    choices: dict[str, str]
    overridden: dict[str, Any]
    command: str
    changed: list[str] = field(default_factory=list)
    reproduces: str = ""

    @property
    def name(self) -> str:
        """What differs first: the UI shows about 14 characters of a run's name."""
        named = self.config["track"]["run_name"]
        return str(named or f"{self.choices['model']} {self.choices['data']} {self.config['seed']}")

    @property
    def params(self) -> dict[str, Any]:
        """The short flat set that the UI compares: choices, seed, and what was tuned."""
        groups = [group for group in SCHEMAS if group in self.choices and group not in UNCOMPARED]
        chosen = {group: self.choices[group] for group in groups}
        unmoving = circumstances()
        shown = {name: value for name, value in self.overridden.items() if name not in unmoving}
        return {**chosen, "seed": self.config["seed"], **shown}

    def save(self, path: Path) -> None:
        # What says nothing is left out, so that code of an older commit can read it.
        said = {name: value for name, value in asdict(self).items() if value or name not in SILENT}
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(said, indent=2) + "\n")
        partial.replace(path)  # never into the old file: what waits for the store may be a link to it

    @classmethod
    def load(cls, path: Path) -> "Job":
        return cls(**json.loads(path.read_text()))


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
    chosen = tuple(f"{group}={choices[group]}" for group in SCHEMAS if choices.get(group))
    return resolve(composed, choices, _base(chosen), list(hydra.overrides.task), command)


@cache
def _base(chosen: tuple[str, ...]) -> DictConfig:
    """The chosen options alone; composing takes longer than all the rest, so once a choice."""
    return compose("train", list(chosen))


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


def leaves(config: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Every dotted key that holds a value, with that value."""
    for name, value in config.items():
        dotted = f"{path}.{name}" if path else name
        if isinstance(value, Mapping):
            yield from leaves(value, dotted)
        else:
            yield dotted, value


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


def check_targets(config: Mapping[str, Any]) -> None:
    """Refuses a `_target_` outside the allow-list.

    Raises:
        ConfigError: naming the key, its value and the list.
    """
    for dotted, value in leaves(config):
        if dotted.rpartition(".")[2] == "_target_" and not str(value).startswith(ALLOWED_TARGETS):
            raise ConfigError(
                dotted,
                expected="a path that starts with one of " + ", ".join(ALLOWED_TARGETS),
                got=repr(value),
                do="Name a class of one of these packages, or add yours to seedbed.",
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


def check_seeds(config: Mapping[str, Any]) -> None:
    """Refuses a negative seed, whose stream would otherwise fail deep inside NumPy.

    Raises:
        ConfigError: naming the key.
    """
    seeds = {"seed": config["seed"]} | {f"streams.{name}": seed for name, seed in config["streams"].items()}
    for dotted, seed in seeds.items():
        if seed is not None and seed < 0:
            raise ConfigError(dotted, expected="0 or more", got=str(seed), do="Choose another integer.")
