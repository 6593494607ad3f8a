"""What is measured: CPU seconds (user and system, ended children included), wall seconds, peak memory.

A side of a contest is a process. It may tell what its parts cost, and what it reached, in its last
line; what the whole of it cost, its parent sees.
"""

import json
import os
import resource
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]
# Far above the dearest side; it bounds a hang.
LIMIT_SECONDS = 900
# The clock that counts from the machine's start, when the side's process was started.
BEGAN = "SPEED_BEGAN"
# Bytecode as installers leave it, one thread a process, no tracking server but our own folder.
UNWANTED = ("PYTHONDONTWRITEBYTECODE", "MLFLOW_TRACKING_URI", "MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_NAME")


class Cost(NamedTuple):
    """CPU seconds of a process and its ended children, and seconds on the wall."""

    cpu: float
    wall: float

    def __sub__(self, earlier: "Cost") -> "Cost":
        return Cost(self.cpu - earlier.cpu, self.wall - earlier.wall)


def spent() -> Cost:
    """What this process has spent since it began, and the time of day."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Cost(time.process_time() + children.ru_utime + children.ru_stime, time.perf_counter())


def since_start() -> Cost:
    """What this process has spent since it was started."""
    now = spent()
    return Cost(now.cpu, now.wall - float(os.environ[BEGAN]))


def tell(measures: dict[str, Cost], **reached: float) -> None:
    """Ends a side: the last line, for the parent."""
    print(json.dumps({"measures": measures, "reached": reached}), flush=True)


@dataclass(frozen=True)
class Told:
    """What one process came to.

    Args:
        measures: cost by name; "process" is all of it.
        peak_mib: largest resident memory of the process or one of its children.
        reached: figures by which the sides are compared for being right.
    """

    measures: dict[str, Cost]
    peak_mib: float
    reached: dict[str, float]


def measured(arguments: tuple[str, ...], scratch: Path, expected_code: int = 0) -> Told:
    """Runs `python ARGUMENTS` from the root of the project and waits for it.

    Raises:
        RuntimeError: with the end of what it said, where it ends with another code than expected.
    """
    environment = {name: value for name, value in os.environ.items() if name not in UNWANTED}
    environment |= {"OMP_NUM_THREADS": "1", "XDG_CACHE_HOME": str(scratch / "cache")}
    with (scratch / "out").open("w+") as out, (scratch / "err").open("w+") as err:
        began = time.perf_counter()
        environment[BEGAN] = str(began)
        # Waited for by hand: of all ways only wait4 tells what this very child cost.
        process = subprocess.Popen(
            [sys.executable, *arguments], cwd=ROOT, env=environment, stdout=out, stderr=err
        )
        usage = _waited(process)
        wall = time.perf_counter() - began
        out.seek(0), err.seek(0)
        said, complained = out.read(), err.read()
    if process.returncode != expected_code:
        command = " ".join(arguments)
        raise RuntimeError(
            f"python {command}: exit code {process.returncode}\n{said[-1000:]}{complained[-3000:]}"
        )
    parts = _parts(said)
    costs = {name: Cost(*cost) for name, cost in parts["measures"].items()}
    whole = Cost(usage.ru_utime + usage.ru_stime, wall)
    return Told(costs | {"process": whole}, usage.ru_maxrss / 1024, parts["reached"])


def _waited(process: "subprocess.Popen[bytes]") -> resource.struct_rusage:
    limit = threading.Timer(LIMIT_SECONDS, process.kill)
    limit.start()
    try:
        _, status, usage = os.wait4(process.pid, 0)
    finally:
        limit.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage


def _parts(said: str) -> dict[str, Any]:
    lines = said.splitlines()
    if lines and lines[-1].startswith('{"measures"'):
        parts: dict[str, Any] = json.loads(lines[-1])
        return parts
    return {"measures": {}, "reached": {}}
