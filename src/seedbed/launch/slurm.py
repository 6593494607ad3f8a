"""Runs as jobs of a SLURM cluster: submitted, waited for, and taken up again where they are."""

from collections import defaultdict
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, final

from seedbed.errors import ConfigError
from seedbed.job import Job
from seedbed.launch import partitions, queue
from seedbed.launch.launcher import Hear, Launcher, check_number
from seedbed.launch.submission import submit
from seedbed.launch.task import Ended, Task
from seedbed.terminal import said

# Words of ours that are sbatch's own.
SAME = ("partition", "account", "qos", "constraint")


class Shape(NamedTuple):
    """What a job asks of the cluster.

    Args:
        num_nodes: machines.
        devices: processes on each.
        gpus: GPUs on each.
    """

    num_nodes: int
    devices: int
    gpus: int


@final
class Slurm(Launcher):
    """Submits jobs and waits for them; where the waiting ends, they go on."""

    _told = False  # where the jobs are, which a search with many waves says once

    @property
    def num_parallel(self) -> int:
        return int(self.keys["array_parallelism"])

    def check(self, job: Job) -> None:
        check_number(self.keys, "cpus_per_task", 1)
        check_number(self.keys, "max_requeues", 0)
        check_number(self.keys, "warning_seconds", 1)
        if self.keys["warning_seconds"] >= self.keys["timeout_minutes"] * 60:
            raise ConfigError(
                "launch.warning_seconds",
                expected=f"less than launch.timeout_minutes={self.keys['timeout_minutes']}",
                got=f"{self.keys['warning_seconds']} seconds",
                do="Lower it, or raise the time limit.",
            )
        queue.check_here()
        shape = self._shape(job)
        partitions.check_size(partitions.chosen(self.keys["partition"]), shape.num_nodes)
        queue.test(self._flags(shape))

    def launch(self, jobs: Sequence[Job], folder: Path, hear: Hear) -> Generator[Ended]:
        from seedbed.launch.waiting import Waiting, waited_for
        from seedbed.recording import job_signature
        from seedbed.track.code_digest import code_digest

        folder, code = folder.absolute(), code_digest(Path.cwd())
        tasks = {
            number: Task(folder / "tasks" / f"{job_signature(job)}-{code}") for number, job in enumerate(jobs)
        }
        queued = _queued(tasks)
        new = [number for number in tasks if number not in queued]
        by_shape: dict[Shape, list[int]] = defaultdict(list)
        for number in new:
            by_shape[self._shape(jobs[number])].append(number)
        for shape, numbers in by_shape.items():
            given = [(tasks[number], jobs[number]) for number in numbers]
            submit(given, self._flags(shape), self.keys, folder)
        if not self._told:
            said(waited_for(tasks, queued, folder))
            self._told = True
        waiting = Waiting(tasks, folder, hear)
        yield from waiting.endings(lambda: self._held)

    def _shape(self, job: Job) -> Shape:
        trainer = job.config["trainer"]
        wants = trainer["accelerator"] == "gpu" or (
            trainer["accelerator"] == "auto"
            and partitions.has_gpus(partitions.chosen(self.keys["partition"]))
        )
        return Shape(trainer["num_nodes"], trainer["devices"], trainer["devices"] if wants else 0)

    def _flags(self, shape: Shape) -> dict[str, str]:
        """What sbatch is told of resources."""
        flags = {
            "nodes": shape.num_nodes,
            "ntasks-per-node": 1,
            "cpus-per-task": self.keys["cpus_per_task"] * shape.devices,
            "time": self.keys["timeout_minutes"],
        }
        if shape.gpus:
            flags["gres"] = f"gpu:{shape.gpus}"
        if self.keys["memory_gib"] is not None:
            flags["mem"] = f"{round(self.keys['memory_gib'] * 1024)}M"
        flags |= {name: self.keys[name] for name in SAME if self.keys[name] is not None}
        return {name: str(value) for name, value in flags.items()}


def _queued(tasks: Mapping[int, Task]) -> set[int]:
    """Those whose job an earlier command has submitted, and the scheduler still has."""
    known = {number: task.slurm for number, task in tasks.items() if task.ended(number) is None}
    if not any(known.values()):
        return set()
    try:
        states = queue.states()
    except queue.QueueError as error:
        raise queue.refused(str(error)) from error
    return {
        number for number, slurm in known.items() if slurm and states.get(slurm["job_id"], queue.GONE).active
    }
