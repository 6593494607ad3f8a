"""How much a record store takes: 64 processes, each recording one run at the same moment.

python -m experiments.tracking.load FOLDER [NUM_WRITERS NUM_REPETITIONS]     # writes FOLDER/results.csv
"""

import csv
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from seedbed.errors import AwayError
from seedbed.track.leftover import deliver_left
from seedbed.track.record import Record
from seedbed.track.store import Store

NUM_EPOCHS, NUM_METRICS, LIMIT = 50, 12, 600
# As the keys of `track` have them.
TRACK = {"deliver_seconds": 1.0, "patience_seconds": 30.0}
# Processes of the server; `seedbed server` starts two unless told otherwise.
NUM_WORKERS = (1, 2, 4)
PARAMS = {f"param_{index}": index for index in range(20)}
CONTEXT = multiprocessing.get_context("forkserver")
# Imported once for all writers; what they do not need is imported where it is used.
CONTEXT.set_forkserver_preload(["__main__", "mlflow.store.tracking.sqlalchemy_store", "mlflow.tracking"])
COLUMNS = (
    *("store", "server_processes", "writers", "repetition", "runs", "points", "lost", "twice"),
    *("seconds", "seconds_of_slowest", "runs_per_second", "points_per_second", "lines_waiting_at_the_end"),
    "load_before",
)


def write(root: Path, uri: str, number: int, ready: Any, go: Any, took: Any) -> None:
    """One run as training records it: an epoch's metrics at a time, delivered as they come."""
    store = Store.open(root, uri, **TRACK)
    ready.release()
    go.wait()
    began = time.monotonic()
    record = Record.start(
        store, experiment="load", name=f"w{number}", params=PARAMS, tags={"load": "1"}, may_wait=True
    )
    for epoch in range(NUM_EPOCHS):
        record.log_metrics({f"metric_{index}": epoch + index / 7 for index in range(NUM_METRICS)}, epoch)
        record.deliver()
    record.finish("FINISHED")
    took[number] = time.monotonic() - began


def measured(root: Path, uri: str, num_writers: int) -> dict[str, Any]:
    """All of them at once; what the store has afterwards, against the journals."""
    from tests.track.delivered import differences

    load = os.getloadavg()[0]
    ready, go = CONTEXT.Semaphore(0), CONTEXT.Event()
    took = CONTEXT.Array("d", num_writers)
    arguments = [(root, uri, number, ready, go, took) for number in range(num_writers)]
    writers = [CONTEXT.Process(target=write, args=own) for own in arguments]
    for writer in writers:
        writer.start()
    for _ in writers:
        assert ready.acquire(timeout=LIMIT)
    began = time.monotonic()
    go.set()
    for writer in writers:
        writer.join(LIMIT)
    codes = [writer.exitcode for writer in writers]
    assert codes == [0] * num_writers, codes
    store, waiting = delivered(root, uri)
    seconds = time.monotonic() - began
    folders = [path for path in (root / "runs").iterdir() if not path.is_symlink()]
    assert len(folders) == num_writers
    wrong = [line for folder in folders for line in differences(store, folder)]
    points = num_writers * NUM_EPOCHS * NUM_METRICS
    return {
        "writers": num_writers,
        "runs": num_writers,
        "points": points,
        "lost": sum("got 0" in line for line in wrong),
        "twice": sum("got 2" in line for line in wrong),
        "seconds": round(seconds, 2),
        "seconds_of_slowest": round(max(took), 2),
        "runs_per_second": round(num_writers / seconds, 2),
        "points_per_second": round(points / seconds),
        "lines_waiting_at_the_end": waiting,
        "load_before": round(load, 1),
    }


def delivered(root: Path, uri: str) -> tuple[Store, int]:
    """What waited in the end goes to the store, as soon as that has worked off what came before."""
    deadline, waited = time.monotonic() + LIMIT, 0
    while True:
        try:
            store = Store.open(root, uri)
            left = list(deliver_left(store, everywhere=True))
        except AwayError:
            left = None
        waited += sum(one.num_delivered for one in left or ())
        if left is not None and not any(one.num_waiting for one in left):
            return store, waited
        assert time.monotonic() < deadline, left
        time.sleep(1)


@contextmanager
def on_server(folder: Path, cluster: Any, num_workers: int) -> Iterator[str]:
    """A new server of so many processes on a new database."""
    from tests.served import Served
    from tests.server.trainers import backend

    folder.mkdir()
    server = Served(folder, backend(cluster, folder.name), num_workers)
    server.start()
    try:
        yield server.address
    finally:
        server.kill()


def main(folder: Path, num_writers: int = 64, num_repetitions: int = 3) -> None:
    """All stores, turn by turn."""
    from tests.served import free_port
    from tests.server.postgres import Postgres, new_folder

    cluster = Postgres(free_port(), new_folder())
    try:
        with tempfile.TemporaryDirectory() as name, (folder / "results.csv").open("w") as file:
            table = csv.DictWriter(file, COLUMNS)
            table.writeheader()
            for repetition in range(num_repetitions):
                for row in _turn(Path(name), cluster, num_writers, repetition):
                    table.writerow(row)
                    file.flush()
    finally:
        cluster.remove()


def _turn(place: Path, cluster: Any, num_writers: int, repetition: int) -> Iterator[dict[str, Any]]:
    """Each store once."""
    root = place / f"sqlite_{repetition}"
    about = {"repetition": repetition, "server_processes": 0}
    yield {"store": "sqlite", **about, **measured(root, f"sqlite:///{root}/mlflow.db", num_writers)}
    for num_workers in NUM_WORKERS:
        root = place / f"server_{num_workers}_{repetition}"
        with on_server(place / f"served_{num_workers}_{repetition}", cluster, num_workers) as uri:
            about = {"repetition": repetition, "server_processes": num_workers}
            yield {"store": "PostgreSQL", **about, **measured(root, uri, num_writers)}


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
