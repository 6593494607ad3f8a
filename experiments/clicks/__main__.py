"""How fast clicks are written, read and learnt from, in how much memory, and how well.

python -m experiments.clicks [--rows 1000000] [--repetitions 3] [--scratch FOLDER]
"""

import argparse
import csv
import os
import platform
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
from mlflow import MlflowClient

from experiments.clicks.generate import population
from seedbed.data.click_format import CRITEO
from seedbed.data.population import loss_of

HERE, ROOT = Path(__file__).parent, Path(__file__).parents[2]
NUM_CATEGORIES, TEST_FRACTION = 1000, 0.1
# What is learnt with; each learning rate is the best of three on validation at a million rows.
LEARNERS = {
    "sgd": ("optimizer=sgd", "optimizer.momentum=0", "optimizer.lr=1"),
    "adagrad": ("optimizer=adagrad", "optimizer.lr=0.1"),
    "ftrl": ("optimizer=ftrl", "optimizer.lr=0.1", "optimizer.beta=0.001"),
    "ftrl, l1": ("optimizer=ftrl", "optimizer.lr=0.1", "optimizer.beta=0.001", "optimizer.l1=0.003"),
}
COMMON = (
    "data=criteo",
    "data.file=train.txt",
    "data.batch_size=1024",
    "model=hashed_logistic",
    "model.num_slots=1048576",
    "model.sparse_gradient=true",
    "schedule=constant",
    "trainer.max_epochs=1",
    "trainer.num_threads=1",
    "trainer.progress_bar=false",
    "track.system_metrics=false",
    "track.log_model=false",
    "evaluate_test=true",
)
# Its last line is what the reading itself took; the peak is that of the process, imports included.
READ = """
import sys, time
from pathlib import Path
from seedbed.data.click_cache import ClickCache
from seedbed.data.click_format import CRITEO
began = time.perf_counter(), time.process_time()
ClickCache(Path(sys.argv[2]), Path(sys.argv[1]), CRITEO).read()
print(time.perf_counter() - began[0], time.process_time() - began[1])
"""


class Line(NamedTuple):
    """One measurement; an empty text where a column does not apply."""

    rows: int
    step: str
    repetition: int
    wall_seconds: float
    cpu_seconds: float
    rows_per_cpu_second: float
    peak_mib: float
    progressive_loss: float | str = ""
    test_loss: float | str = ""
    bayes_test_loss: float | str = ""
    over_bayes: float | str = ""
    normalised_loss: float | str = ""
    slots_used: int | str = ""
    machine: str = ""


class Cost(NamedTuple):
    """Of a process that has ended."""

    wall: float
    cpu: float
    peak_mib: float


def spent_by(arguments: list[str], folder: Path) -> Cost:
    """Runs `python ARGUMENTS` with one thread and waits for it."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "XDG_CACHE_HOME": str(folder / "cache")}
    began = time.perf_counter()
    with (folder / "said").open("w+") as said_there:
        process = subprocess.Popen([sys.executable, *arguments], cwd=ROOT, env=environment, stdout=said_there)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        said_there.seek(0)
        told = said_there.read().split()
    if status:
        raise RuntimeError(f"{' '.join(arguments)} ended with {os.waitstatus_to_exitcode(status)}")
    peak = usage.ru_maxrss / 1024
    if arguments[1] == READ:
        return Cost(float(told[0]), float(told[1]), peak)
    return Cost(wall, usage.ru_utime + usage.ru_stime, peak)


def measured(num_rows: int, repetition: int, folder: Path) -> list[Line]:
    """Everything once, from nothing."""
    log, cache = folder / "train.txt", folder / "cache" / "seedbed"
    generate = ["-m", "experiments.clicks.generate", "--rows", str(num_rows), "--out", str(log)]
    lines = []
    for step, arguments in (
        ("generate", generate),
        ("read into the cache", ["-c", READ, str(log), str(cache)]),
        ("open the cache", ["-c", READ, str(log), str(cache)]),
    ):
        cost = spent_by(arguments, folder)
        lines.append(
            Line(num_rows, step, repetition, cost.wall, cost.cpu, num_rows / cost.cpu, cost.peak_mib)
        )
        said(lines[-1])
    truth = bayes_test_loss(num_rows)
    for name, keys in LEARNERS.items():
        lines.append(learnt(name, keys, num_rows, repetition, folder, truth))
        said(lines[-1])
    return lines


def bayes_test_loss(num_rows: int) -> float:
    """What the true probabilities lose on the clicks of the test split."""
    num_test = round(TEST_FRACTION * num_rows)
    lots = population(CRITEO, NUM_CATEGORIES).lots(num_rows - num_test, num_rows)
    losses = [(loss_of(lot.probabilities, lot.clicks), len(lot.clicks)) for lot in lots]
    return float(np.average([loss for loss, _ in losses], weights=[count for _, count in losses]))


def learnt(
    name: str, keys: tuple[str, ...], num_rows: int, repetition: int, folder: Path, truth: float
) -> Line:
    """One pass, as `seedbed train` makes it; its seconds are those of the fit, its memory the command's."""
    store = folder / f"mlruns_{name.replace(', ', '_')}"
    words = ["-m", "seedbed", "train", *COMMON, *keys, f"data.root={folder}", f"track.root={store}"]
    cost = spent_by(words, folder)
    client = MlflowClient(f"sqlite:///{store}/mlflow.db")
    (experiment,) = [found for found in client.search_experiments() if found.name == "seedbed"]
    (run,) = client.search_runs([experiment.experiment_id])
    metrics = run.data.metrics
    used = used_slots(client, run.info.run_id, folder)
    num_train = num_rows - round(TEST_FRACTION * num_rows)
    num_train -= round(0.1 * num_train)
    return Line(
        num_rows,
        f"train, {name}",
        repetition,
        metrics["fit/wall_seconds"],
        metrics["fit/cpu_seconds"],
        num_train / metrics["fit/cpu_seconds"],
        cost.peak_mib,
        metrics["train/loss"],
        metrics["test/loss"],
        truth,
        metrics["test/loss"] / truth,
        metrics["test/normalised_loss"],
        used,
    )


def used_slots(client: MlflowClient, run_id: str, folder: Path) -> int:
    """Weights that are not 0."""
    import torch

    path = client.download_artifacts(run_id, "checkpoints/last.ckpt", str(folder))
    state = torch.load(path, map_location="cpu", weights_only=True)["state_dict"]
    return int(state["network.slots.weight"].count_nonzero())


def machine() -> str:
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    packages = ", ".join(f"{name} {version(name)}" for name in ("torch", "numpy"))
    return f"1 thread of {model}; Python {platform.python_version()}, {packages}; {time.strftime('%Y-%m-%d')}"


def said(line: Line) -> None:
    print(" ".join(f"{name}={value}" for name, value in line._asdict().items() if value != ""), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m experiments.clicks", description=(__doc__ or "")[:70])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--scratch", type=Path, help="where the log goes: 260 bytes a row, and its codes 156")
    asked = parser.parse_args()
    path = HERE / "results.csv"
    for repetition in range(1, asked.repetitions + 1):
        with TemporaryDirectory(dir=asked.scratch, prefix="seedbed-clicks-") as folder:
            lines = measured(asked.rows, repetition, Path(folder))
        new = not path.exists()
        with path.open("a", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            if new:
                writer.writerow(Line._fields)
            writer.writerows(line._replace(machine=machine()) for line in lines)


if __name__ == "__main__":
    main()
