"""The data that a recorded model is tested on: its run's own, or other keys of it, or another set."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any, NamedTuple

from seedbed.assembly import data_of
from seedbed.composing import composed
from seedbed.data.module import DataModule
from seedbed.errors import ConfigError
from seedbed.job import Job
from seedbed.reproduce.check import UNPACKED_DATA, Subject
from seedbed.resuming import altered
from seedbed.streams import spawn


class Chosen(NamedTuple):
    """Data that is set up.

    Args:
        option: its name in `conf/data`.
        config: its keys, resolved.
        module: set up without features; nobody uses the preprocessing that is fitted on the way.
    """

    option: str
    config: dict[str, Any]
    module: DataModule


def chosen(subject: Subject, overrides: Collection[str] = ()) -> Chosen:
    """The data of a run with these keys changed, cut by the run's own split stream.

    Args:
        subject: the run.
        overrides: `data=OPTION` for another set, with its keys, or `data.KEY=VALUE` for another value.

    Raises:
        ConfigError: for any other key, and for a value that cannot be.
        DataError: for files that are missing or broken.
    """
    for override in overrides:
        _check_key(override)
    own = subject.job
    if any(override.startswith("data=") for override in overrides):
        job = composed(overrides, "")
    else:
        job = altered(_brought(own, subject), overrides)
    module = data_of(job.config)
    module.setup(spawn(own.config["seed"], own.config["streams"]))
    return Chosen(job.choices["data"], job.config["data"], module)


def _brought(job: Job, subject: Subject) -> Job:
    """The job, with its data where an archive brought them, if one did."""
    folder = subject.member.tags.get(UNPACKED_DATA)
    if folder is None:
        return job
    data = job.config["data"] | {"root": str(subject.store.root / folder)}
    return replace(job, config=job.config | {"data": data})


def _check_key(override: str) -> None:
    key = override.partition("=")[0]
    if not (key == "data" or key.startswith("data.")) or "=" not in override:
        raise ConfigError(
            override,
            expected="data=OPTION or data.KEY=VALUE, because the model is as it was trained",
            got="a word that says nothing of data",
            do="Leave it out; what is evaluated is chosen by --split.",
        )
