"""A study for the price of a run: `python -m experiments.speed.stacked --data FOLDER [--repetitions N]`.

Softmax regression on MNIST, 10 epochs, batches of 128, one thread; everything on record. Each measurement
is a process of its own that first makes one short run, so that imports, decoding and the store's making
are paid; they take turns. Written: `stacked.csv` beside this file, and the medians.
"""

import argparse
import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
KINDS = ("one run", "64 settings, one order", "64 seeds, own orders")
NUM = 64
COLUMNS = ("kind", "fit_cpu_seconds", "cpu_seconds", "wall_seconds")


def jobs_of(kind: str, data: str, root: str) -> list[Any]:
    """The jobs, as the command line would make them."""
    from hydra import compose, initialize_config_dir

    from seedbed import config
    from seedbed.composing import resolve
    from seedbed.job import typed

    words = ["data=mnist", f"data.root={data}", "model=softmax", "optimizer=sgd", "optimizer.momentum=0"]
    words += ["schedule=constant", "trainer.max_epochs=10", "trainer.progress_bar=false"]
    words += [f"track.root={root}"]
    config.register()
    with initialize_config_dir(str(config.folder()), version_base="1.3"):
        composed = compose("train", words, return_hydra_config=True)
        choices = dict(composed.hydra.runtime.choices)
        chosen = [f"{group}={choices[group]}" for group in config.SCHEMAS if choices.get(group)]
        del composed.hydra
        job = resolve(composed, choices, compose("train", chosen), words, "seedbed train")
    pairs = [(0.01 * 1.3**rate, 1e-6 * 4**price) for rate in range(8) for price in range(8)]
    settings = [{"optimizer.lr": rate, "objective.l2": price} for rate, price in pairs]
    if kind == KINDS[2]:  # penalised like the others: a step with a penalty costs more
        return [typed(job, {**settings[0], "seed": seed}) for seed in range(NUM)]
    return [typed(job, setting) for setting in (settings if kind == KINDS[1] else settings[:1])]


def measure(kind: str, data: str) -> dict[str, Any]:
    """In this process."""
    from seedbed.job import typed
    from seedbed.stack.together import together
    from seedbed.train import run

    with tempfile.TemporaryDirectory() as root:
        jobs = jobs_of(kind, data, root)
        run(typed(jobs[0], {"trainer.max_epochs": 1}))
        cpu, wall = time.process_time(), time.perf_counter()
        if len(jobs) == 1:
            outcomes = [run(jobs[0])]
        else:
            outcomes = [outcome for _, _, outcome in together(jobs, shares=kind == KINDS[1]) if outcome]
        assert len(outcomes) == len(jobs)
        fit = max(outcome.metrics["fit/cpu_seconds"] for outcome in outcomes)
        spent = (fit, time.process_time() - cpu, time.perf_counter() - wall)
    return dict(zip(COLUMNS, (kind, *spent), strict=True))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--kind", choices=KINDS)
    asked = parser.parse_args()
    if asked.kind:
        print(json.dumps(measure(asked.kind, asked.data)))
        return
    rows = []
    for _ in range(asked.repetitions):
        for kind in KINDS:
            command = [
                sys.executable,
                "-m",
                "experiments.speed.stacked",
                "--data",
                asked.data,
                "--kind",
                kind,
            ]
            variables = os.environ | {"OMP_NUM_THREADS": "1"}
            done = subprocess.run(command, capture_output=True, text=True, check=True, env=variables)
            rows.append(json.loads(done.stdout.splitlines()[-1]))
    with (HERE / "stacked.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    medians = {
        kind: {
            name: statistics.median(row[name] for row in rows if row["kind"] == kind) for name in COLUMNS[1:]
        }
        for kind in KINDS
    }
    for kind, values in medians.items():
        ratios = (values[name] / medians[KINDS[0]][name] for name in COLUMNS[1:])
        told = (f"{values[name]:.2f} ({ratio:.1f}x)" for name, ratio in zip(COLUMNS[1:], ratios, strict=True))
        print(f"{kind}: fit CPU {', all CPU '.join(list(told)[:2])}, wall {values['wall_seconds']:.1f} s")


if __name__ == "__main__":
    main()
