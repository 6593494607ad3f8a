"""The measurements as a file: a line for every measure of every process."""

import csv
import datetime as dt
import importlib.metadata
import os
import platform
from dataclasses import asdict, dataclass, fields
from pathlib import Path

PACKAGES = (
    "torch",
    "torchvision",
    "pytorch-lightning",
    "torchmetrics",
    "mlflow",
    "hydra-core",
    "scikit-learn",
)


@dataclass(frozen=True)
class Measurement:
    """One measure of one process.

    Args:
        row: number of the table's row.
        contest: its name.
        side: ours, or whose.
        repetition: from 1.
        measure: of which part; "process" is all of it.
        cpu_seconds: user and system, ended children included.
        wall_seconds: of the same part.
        peak_mib: largest resident memory, of the whole process.
        reached: what it told of its result, as name=value.
        date: of the measurement.
        machine: processor and cores.
        versions: of Python and packages.
    """

    row: int
    contest: str
    side: str
    repetition: int
    measure: str
    cpu_seconds: float
    wall_seconds: float
    peak_mib: float
    reached: str
    date: str
    machine: str
    versions: str

    def figure(self, name: str) -> float | None:
        """What the side has told under this name."""
        told = dict(part.split("=") for part in self.reached.split(" ") if part)
        return float(told[name]) if name in told else None


def read(path: Path) -> list[Measurement]:
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return [_typed(line) for line in csv.DictReader(file)]


def _typed(line: dict[str, str]) -> Measurement:
    texts = (line[item.name] for item in fields(Measurement))
    casts = (item.type if isinstance(item.type, type) else str for item in fields(Measurement))
    return Measurement(*(cast(text) for cast, text in zip(casts, texts, strict=True)))


def write(path: Path, measurements: list[Measurement]) -> None:
    names = [item.name for item in fields(Measurement)]
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, names, lineterminator="\n")
        table.writeheader()
        table.writerows(asdict(one) for one in measurements)


def today() -> str:
    return dt.datetime.now(dt.UTC).date().isoformat()


def machine() -> str:
    """Processor and cores, as `lscpu` says them."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    features = [line.split() for line in lines if line.startswith("flags")]
    wide = next(("AVX-512" for words in features if "avx512f" in words), "")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return ", ".join(
        part for part in (f"{cores} cores of {models[0] if models else platform.machine()}", wide) if part
    )


def versions() -> str:
    packages = [f"{name} {importlib.metadata.version(name)}" for name in PACKAGES]
    return ", ".join([f"Python {platform.python_version()}", *packages])
