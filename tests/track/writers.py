"""Processes that open one missing store at the same moment: `writers.py ROOT NUM_PROCESSES`.

A program of its own: the processes are forked from one that has paid for the imports and has no
threads, so that all of them really arrive together.
"""

import importlib
import os
import sys
import warnings
from pathlib import Path

from seedbed.track.record import Record
from seedbed.track.store import Store

NUM_PARAMS, NUM_STEPS = 20, 40
# For a database that so many others write to.
PATIENCE_SECONDS = 60.0


def work(root: Path, number: int) -> None:
    store = Store.open(root, may_be_away=True, patience_seconds=PATIENCE_SECONDS)
    params = {f"p{index}": f"{number}.{index}" for index in range(NUM_PARAMS)}
    record = Record.start(
        store, experiment="crowd", name=f"writer {number}", params=params, tags={}, may_wait=True
    )
    record.log_dataset(name="crowd", source="crowd", split="train", digest="c0de", profile={"n": 1})
    for step in range(NUM_STEPS):
        record.log_metrics({"loss": number + step / NUM_STEPS}, step)
        if step % 10 == 9:
            record.deliver()
    record.log_text(f"{number}", "number.txt")
    record.finish("FINISHED")


def main(root: Path, num_processes: int) -> int:
    with warnings.catch_warnings(action="ignore"):
        importlib.import_module("mlflow.store.tracking.sqlalchemy_store")
    gate, opener = os.pipe()
    children = []
    for number in range(num_processes):
        child = os.fork()
        if child == 0:
            os.close(opener)
            os.read(gate, 1)  # returns when the parent closes its end
            work(root, number)
            os._exit(0)
        children.append(child)
    os.close(opener)
    return sum(os.waitpid(child, 0)[1] != 0 for child in children)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2])))
