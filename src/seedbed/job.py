"""One run as a value: its resolved config, where each part came from, and its identity.

A job is plain data: it is what a process group starts from, what a queue keeps, and what a
reproduction reads back. Nothing here imports torch, so a wrong configuration is refused at once.
"""

import copy
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from seedbed.config import ALLOWED_TARGETS, SCHEMAS, circumstances
from seedbed.errors import ConfigError

# What tells the repetitions of one setting apart: seeds, folds, and whether the test split was read.
REPETITION = ("seed", "streams", "data.fold", "data.inner_fold", "evaluate_test")
# Fields that most jobs have nothing in.
SILENT = ("changed", "reproduces")
# Groups whose option says nothing of a result.
UNCOMPARED = ("track", "study", "launch")


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


def leaves(config: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Every dotted key that holds a value, with that value."""
    for name, value in config.items():
        dotted = f"{path}.{name}" if path else name
        if isinstance(value, Mapping):
            yield from leaves(value, dotted)
        else:
            yield dotted, value


def typed(job: Job, values: Mapping[str, Any]) -> Job:
    """The job with other values of keys that it has, as if they had been typed, too.

    Composing it anew would give the same, and takes a tenth of a second.

    Raises:
        ConfigError: for a negative seed.
    """
    config = copy.deepcopy(job.config)
    for key, value in values.items():
        _put(config, key, value)
    check_seeds(config)
    shown = {*job.overridden, *values} - {"seed"}
    overridden = {key: value for key, value in leaves(config) if key in shown}
    return replace(job, config=config, overridden=overridden)


def _put(config: dict[str, Any], key: str, value: Any) -> None:
    *groups, last = key.split(".")
    for group in groups:
        config = config[group]
    config[last] = value


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


def check_seeds(config: Mapping[str, Any]) -> None:
    """Refuses a negative seed, whose stream would otherwise fail deep inside NumPy.

    Raises:
        ConfigError: naming the key.
    """
    seeds = {"seed": config["seed"]} | {f"streams.{name}": seed for name, seed in config["streams"].items()}
    for dotted, seed in seeds.items():
        if seed is not None and seed < 0:
            raise ConfigError(dotted, expected="0 or more", got=str(seed), do="Choose another integer.")
