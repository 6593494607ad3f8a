"""A trainer that dies while it writes its journal: half a line is there, and nothing of it anywhere else."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from seedbed.job import Job
from seedbed.track.store import Store
from tests.conftest import MakeJob
from tests.kills import SERVER
from tests.server.revived import Revived
from tests.server.trainers import LIMIT, QUICK
from tests.track.delivered import differences

pytestmark = pytest.mark.server
NUM_EPOCHS = 6


def work(job: Job, address: str, line: int | None, run_id: str | None) -> None:
    """A process that writes half of the n-th line of its journal, then no more."""
    os.environ["MLFLOW_TRACKING_URI"] = address
    from seedbed.train import run

    if line is not None:
        tear(line)
    run(job, run_id)


def tear(line: int) -> None:
    whole, left = os.write, line

    def write(file: int, text: Any) -> int:
        nonlocal left
        if Path(f"/proc/self/fd/{file}").readlink().name == "journal.jsonl":
            left -= 1
            if not left:
                whole(file, text[: len(text) // 2])
                os.kill(os.getpid(), signal.SIGKILL)
        return whole(file, text)

    os.write = write


def ended(*arguments: Any) -> int | None:
    process = SERVER.Process(target=work, args=arguments)
    process.start()
    process.join(LIMIT)
    process.kill()  # nothing, where it has ended
    process.join()
    return process.exitcode


@pytest.mark.parametrize("line", [4, 13, 20])
def test_a_trainer_that_dies_in_a_line_of_its_journal_goes_on(
    make_job: MakeJob, server: Revived, tmp_path: Path, line: int
) -> None:
    job = make_job(*QUICK, f"trainer.max_epochs={NUM_EPOCHS}", f"track.root={tmp_path / 'mlruns'}")
    assert ended(job, server.address, line, None) == -signal.SIGKILL
    (folder,) = [path for path in (tmp_path / "mlruns" / "runs").iterdir() if not path.is_symlink()]
    assert not (folder / "journal.jsonl").read_bytes().endswith(b"\n")
    environment = {**os.environ, "MLFLOW_TRACKING_URI": server.address}
    sync = [sys.executable, "-m", "seedbed", "sync"]
    subprocess.run(sync, cwd=tmp_path, env=environment, check=True, timeout=LIMIT)
    store = Store.open(tmp_path / "mlruns", server.address)
    assert differences(store, folder) == []
    (run,) = store.client.search_runs([store.experiment("seedbed")])
    assert ended(job, server.address, None, run.info.run_id) == 0
    assert differences(store, folder) == []
    assert store.client.get_run(run.info.run_id).info.status == "FINISHED"
    for name in ("val/loss", "train/objective"):
        steps = [point.step for point in store.client.get_metric_history(run.info.run_id, name)]
        assert len(steps) == len(set(steps)) == NUM_EPOCHS
