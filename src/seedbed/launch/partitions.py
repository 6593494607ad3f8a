"""The cluster's partitions: what a job may be asked of at all, before the queue would keep it for good."""

from collections.abc import Sequence
from typing import NamedTuple

from seedbed.errors import ConfigError
from seedbed.launch.queue import QueueError, asked, refused


class Partition(NamedTuple):
    """Some nodes of a partition that are alike.

    Args:
        name: the partition's.
        default: whether a job that names none comes here.
        num_nodes: how many there are, up or down.
        resources: what they offer beside processors, as SLURM writes it.
    """

    name: str
    default: bool
    num_nodes: int
    resources: str


def chosen(name: str | None) -> list[Partition]:
    """The parts of the partition that a job comes to.

    Args:
        name: one or several with commas between them; None: the cluster's default.

    Raises:
        ConfigError: for one that there is not.
        SubmissionError: where the scheduler cannot be asked.
    """
    known = _known()
    if name is None:
        return [part for part in known if part.default]
    names = {part.name for part in known}
    if not names.issuperset(name.split(",")):
        raise ConfigError(
            "launch.partition",
            expected=f"one of {', '.join(sorted(names))}",
            got=repr(name),
            do="Choose one of these, or leave the key out for the cluster's default. Nothing was submitted.",
        )
    return [part for part in known if part.name in name.split(",")]


def has_gpus(parts: Sequence[Partition]) -> bool:
    """Whether some of these nodes offer GPUs."""
    return any("gpu" in part.resources for part in parts)


def check_size(parts: Sequence[Partition], num_nodes: int) -> None:
    """Refuses more machines than there are, which the queue would wait for without end.

    Raises:
        ConfigError: naming how many there are.
    """
    names = {part.name for part in parts}
    most = max((sum(part.num_nodes for part in parts if part.name == name) for name in names), default=0)
    if names and num_nodes > most:
        raise ConfigError(
            "trainer.num_nodes",
            expected=f"at most {most}, the machines of partition {', '.join(sorted(names))}",
            got=str(num_nodes),
            do="Lower it, or choose another launch.partition. Nothing was submitted.",
        )


def _known() -> list[Partition]:
    try:
        told = asked("sinfo", "--all", "--noheader", "--format=%P|%D|%G")
    except QueueError as error:
        raise refused(str(error)) from error
    found = []
    for line in told.splitlines():
        name, num_nodes, resources = line.split("|", 2)
        found.append(Partition(name.rstrip("*"), name.endswith("*"), int(num_nodes), resources))
    return found
