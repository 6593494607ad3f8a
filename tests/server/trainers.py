"""Runs of one study, each in a process of its own, that last as long as something is done to their server."""

import os
import time
from pathlib import Path
from typing import Any, final

from seedbed.job import Job
from seedbed.track.leftover import deliver_left
from seedbed.track.record import Record
from seedbed.track.store import Store
from tests.conftest import MakeJob
from tests.kills import SERVER
from tests.server.postgres import Postgres
from tests.track.delivered import differences

QUICK = (
    "model=softmax",
    "schedule=constant",
    "trainer.num_threads=1",
    "track.log_model=false",
    "track.pictures=false",
    "track.patience_seconds=20",
)
# Seconds that an epoch takes while its server is being disturbed, and at which a process gives up.
PACE, LIMIT = 0.5, 400
OVER = 10_000


@final
class Study:
    """Some runs at a time under one parent.

    Args:
        make_job: of the test.
        root: folder of the store.
        address: of the server, as the runs know it.
        num_runs: how many, each with a seed of its own.
        num_acts: things that will be done to the server while the runs are at work.
        num_epochs: of each run, between which the acts are spread.
    """

    def __init__(
        self, make_job: MakeJob, root: Path, address: str, num_runs: int, num_acts: int, num_epochs: int
    ) -> None:
        self.root, self.address, self.num_epochs = root, address, num_epochs
        store = Store.open(root, address)
        self.parent = Record.start(
            store, experiment="e", name="study", params={}, tags={"seedbed.kind": "study"}
        )
        common = (*QUICK, "track.experiment=e", f"trainer.max_epochs={num_epochs}", f"track.root={root}")
        family = f"track.parent_run_id={self.parent.run_id}"
        self._acts: Any = SERVER.Value("i", 0)
        self._processes = []
        for seed in range(num_runs):
            job = make_job(*common, family, f"seed={seed}")
            log = root / f"{seed}.log"
            share = num_epochs / max(1, num_acts)
            self._processes.append(SERVER.Process(target=work, args=(job, address, self._acts, share, log)))
        for process in self._processes:
            process.start()

    def begun(self) -> bool:
        """Whether every run is at work: a checkpoint of each is there."""
        folders = [path for path in (self.root / "runs").iterdir() if not path.is_symlink()]
        return sum((folder / "last.ckpt").exists() for folder in folders) == len(self._processes)

    def wait_begun(self) -> None:
        deadline = time.monotonic() + LIMIT
        while not self.begun():
            assert time.monotonic() < deadline, self.logs()
            time.sleep(0.1)

    def acted(self) -> None:
        """One more thing has been done; the runs may go on to their next share of epochs."""
        assert any(process.is_alive() for process in self._processes), self.logs()
        with self._acts.get_lock():
            self._acts.value += 1

    def end(self) -> None:
        """Lets them go on at their own speed, and waits; each has to end well."""
        with self._acts.get_lock():
            self._acts.value = OVER
        for process in self._processes:
            process.join(LIMIT)
        codes = [process.exitcode for process in self._processes]
        assert codes == [0] * len(codes), self.logs()

    def kill(self) -> None:
        """Whatever still lives; nothing, where the test went well."""
        for process in self._processes:
            if process.is_alive():
                process.kill()
                process.join()

    def logs(self) -> str:
        return "\n".join(f"{path.name}: {path.read_text()}" for path in sorted(self.root.glob("*.log")))

    def check(self, store: Store) -> int:
        """Sees that every run is in the store exactly as its journal says; the number of points.

        What still waits is delivered first, as `seedbed sync` does.
        """
        self.parent.finish("FINISHED")
        assert [left for left in deliver_left(store, everywhere=True) if left.num_waiting] == []
        found = store.client.search_runs(
            [store.experiment("e")], f"tags.`mlflow.parentRunId` = '{self.parent.run_id}'"
        )
        assert [run.info.status for run in found] == ["FINISHED"] * len(self._processes)
        return sum(self._checked(store, run) for run in found)

    def _checked(self, store: Store, run: Any) -> int:
        """Of one run: nothing differs, and every epoch of every metric of an epoch is there once."""
        assert differences(store, self.root / "runs" / run.info.run_id) == []
        history = {
            name: store.client.get_metric_history(run.info.run_id, name)
            for name in run.data.metrics
            if name.startswith(("val/", "train/"))
        }
        assert {"val/loss", "train/objective"} <= history.keys()
        for name in ("val/loss", "train/objective"):
            steps = [point.step for point in history[name]]
            assert sorted(set(steps)) == sorted(steps), name
            assert len(steps) == self.num_epochs, name
        return sum(len(points) for points in history.values())


def work(job: Job, address: str, acts: Any, share: float, log: Path) -> None:
    """The process of one run, which does not get ahead of what is done to its server."""
    os.environ["MLFLOW_TRACKING_URI"] = address
    with log.open("ab", buffering=0) as out:
        for number in (1, 2):
            os.dup2(out.fileno(), number)
    from seedbed.classifier import Classifier
    from seedbed.train import run

    step = Classifier.step

    def paced(self: Classifier, batch: Any) -> None:
        if self.num_steps_done % self.epoch_steps == 0:
            wait(acts, self.current_epoch / share)
        step(self, batch)

    Classifier.step = paced  # type: ignore[assignment, method-assign]
    run(job)


def wait(acts: Any, needed: float) -> None:
    """Until so many things have happened; epochs take their time until the last of them has."""
    deadline = time.monotonic() + LIMIT
    time.sleep(0 if acts.value == OVER else PACE)
    while acts.value < needed - 1 and time.monotonic() < deadline:
        time.sleep(0.1)


def backend(postgres: Postgres, name: str) -> str:
    """A new database, as a server is told of it."""
    return postgres.new(name).replace("postgresql:", "postgresql+psycopg2:", 1)
