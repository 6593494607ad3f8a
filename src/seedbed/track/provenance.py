"""Where a run comes from: command, code, packages, machine."""

import functools
import getpass
import importlib.metadata
import json
import os
import platform
import re
import shlex
import socket
import sys
from pathlib import Path
from typing import Any, NamedTuple

from seedbed.track import checkout
from seedbed.track.code_digest import code_digest

CPU_INFO = Path("/proc/cpuinfo")
DRIVER = Path("/proc/driver/nvidia/version")
# The lines of a package that say what it is.
HEADER = re.compile(r"^(Name|Version): *(\S+)", re.MULTILINE)


class Provenance(NamedTuple):
    """What to keep with a run.

    Args:
        tags: short texts to search for.
        files: artifact path to text.
    """

    tags: dict[str, str]
    files: dict[str, str]


def provenance(folder: Path | None) -> Provenance:
    """Where a run that starts now comes from.

    Environment variables are never recorded: they hold secrets.

    Args:
        folder: where the code lies, anywhere in a git checkout or not; None: in none.
    """
    code = _code(folder)
    command = shlex.join(sys.argv)
    device = machine()
    tags = {
        "seedbed.code": code.state,
        "seedbed.code_digest": code_digest(folder),
        "mlflow.source.git.commit": code.commit,
        "mlflow.source.git.branch": code.branch,
        "seedbed.host": device["host"],
        "seedbed.cpu": device["cpu"],
        "seedbed.gpu": ", ".join(device.get("gpus", [])),
        "seedbed.python": device["python"],
    }
    files = {
        "provenance/command.txt": f"{command}\n",
        "provenance/packages.txt": packages(),
        "provenance/machine.json": json.dumps(device, indent=2) + "\n",
        "provenance/uncommitted.diff": code.diff,
    }
    return Provenance(_filled(tags), _filled(files))


@functools.cache
def _code(folder: Path | None) -> checkout.Code:
    """Once a process: what runs is what it has imported, whatever is edited meanwhile."""
    return checkout.code(folder)


def origin() -> dict[str, str]:
    """Who and what, in MLflow's tags: a run made through its client has neither unless told."""
    return {
        "mlflow.user": _user(),
        "mlflow.source.name": _program(Path(sys.argv[0])),
        "mlflow.source.type": "LOCAL",
    }


def _program(started: Path) -> str:
    """As it is called: `python -m seedbed` starts a file in a folder of that name."""
    return (started.parent.name if started.name == "__main__.py" else started.name) or "python"


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return str(os.getuid())


def _filled(texts: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in texts.items() if text}


@functools.cache
def packages() -> str:
    """Every installed package as requirements, one `name==version` a line."""
    found: dict[str, str] = {}
    for dist in importlib.metadata.distributions():
        # Read by ourselves: the whole text with all descriptions takes a tenth of a second.
        head = (dist.read_text("METADATA") or dist.read_text("PKG-INFO") or "").partition("\n\n")[0]
        told = dict(HEADER.findall(head))
        if told.keys() == {"Name", "Version"}:  # of two on the path the first is the one that is imported
            found.setdefault(told["Name"], told["Version"])
    return "".join(f"{name}=={found[name]}\n" for name in sorted(found, key=str.lower))


def machine() -> dict[str, Any]:
    """Host, CPU, Python, and what torch runs on and how, where torch is loaded."""
    return {
        "host": socket.gethostname(),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "cpu": _cpu(),
        "num_cores": os.cpu_count(),
        "num_cores_allowed": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None,
        **in_force(),
    }


def _cpu() -> str:
    lines = CPU_INFO.read_text().splitlines() if CPU_INFO.exists() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())


def in_force() -> dict[str, Any]:
    """What torch runs on and the switches that can move a last digit; empty where it is not loaded.

    Call it when all switches are set: a record made earlier shows what was set then.
    """
    torch: Any = sys.modules.get("torch")
    if torch is None:
        return {}
    group = torch.distributed if torch.distributed.is_initialized() else None
    gpus = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    return {
        "gpus": gpus,
        "gpu_driver": DRIVER.read_text().partition("\n")[0] if DRIVER.exists() else "",
        "cuda": torch.version.cuda or "",
        "cudnn": torch.backends.cudnn.version(),
        "world_size": group.get_world_size() if group else 1,
        "backend": group.get_backend() if group else "",
        "num_threads": torch.get_num_threads(),
        "num_interop_threads": torch.get_num_interop_threads(),
        "deterministic_algorithms": torch.are_deterministic_algorithms_enabled(),
        "cudnn_deterministic": torch.backends.cudnn.deterministic,
        "cudnn_benchmark": torch.backends.cudnn.benchmark,
        "float32_matmul_precision": torch.get_float32_matmul_precision(),
        "cudnn_tf32": torch.backends.cudnn.allow_tf32,
        "matmul_tf32": torch.backends.cuda.matmul.allow_tf32,
        "cublas_workspace": os.environ.get("CUBLAS_WORKSPACE_CONFIG", ""),
    }
