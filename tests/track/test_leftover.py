"""What processes that died, or stores that were away, have left is delivered by whoever comes next."""

import subprocess
import sys
import time
from pathlib import Path

from click.testing import CliRunner

from seedbed.cli.command import cli
from seedbed.track.journal import Journal
from seedbed.track.leftover import deliver_left, take_along
from seedbed.track.record import Record
from seedbed.track.store import Store
from seedbed.track.waiting import expect
from tests.track.delivered import differences
from tests.track.test_away import GONE, Gate, start
from tests.track.test_away import gate as gate  # a fixture

HOLDER = """
import sys, time
from pathlib import Path
from seedbed.track.record import Record
from seedbed.track.store import Store

record = Record.start(Store.open(Path(sys.argv[1])), experiment="e", name="run", params={"p": 1}, tags={})
record.log_metrics({"loss": 1.0}, 1)
print(record.run_id, flush=True)
time.sleep(600)
"""
# Many more than a folder has runs of one day.
NUM_FOLDERS = 3000


def test_a_run_at_work_is_left_to_itself_and_one_that_was_killed_is_not(store: Store) -> None:
    command = [sys.executable, "-c", HOLDER, str(store.root)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        run_id = process.stdout.readline().strip()
        assert list(deliver_left(store, everywhere=True)) == []
    finally:
        process.kill()
        process.communicate()
    (left,) = deliver_left(store)
    assert (left.folder.name, left.num_delivered, left.num_waiting) == (run_id, 1, 0)
    assert store.client.get_run(run_id).data.metrics == {"loss": 1.0}
    assert store.client.get_run(run_id).info.status == "RUNNING"  # it may go on


def test_a_run_of_this_process_is_left_to_itself_and_stays_locked(store: Store) -> None:
    record = start(store)
    record.log_metrics({"loss": 1.0}, 1)
    assert list(deliver_left(store, everywhere=True)) == []
    program = (
        "import sys; from pathlib import Path; from seedbed.track.hold import Hold; Hold(Path(sys.argv[1]))"
    )
    command = [sys.executable, "-c", program, str(record.folder)]
    refused = subprocess.run(command, check=False, capture_output=True, text=True)
    assert "one that another process writes to" in refused.stderr


def test_a_torn_last_line_is_of_a_run_that_died_and_the_rest_arrives(store: Store, gate: Gate) -> None:
    record = start(store)
    gate.error = GONE
    for step in range(3):
        record.log_metrics({"loss": float(step)}, step)
    record._journal.close()
    with record._journal.path.open("ab") as file:
        file.write(b'{"time": 17, "step": 3, "metrics": {"lo')
    assert record._hold is not None
    record._hold.release(forget=False)
    gate.error = None
    assert take_along(store, print)
    history = store.client.get_metric_history(record.run_id, "loss")
    assert [(point.step, point.value) for point in history] == [(0, 0.0), (1, 1.0), (2, 2.0)]


def test_what_is_for_another_store_waits_for_that_one(store: Store, gate: Gate, tmp_path: Path) -> None:
    record = start(store)
    gate.error = GONE
    record.finish("KILLED")
    other = Store.open(store.root, f"sqlite:///{tmp_path / 'other.db'}")
    (left,) = deliver_left(other)
    assert (left.num_delivered, left.num_waiting) == (0, 1)
    assert left.why == "it is for sqlite:///mlflow.db"


def test_after_one_for_which_the_store_is_away_no_other_is_tried(store: Store, gate: Gate) -> None:
    records = [start(store, name=name) for name in ("one", "two", "three")]
    gate.error = GONE
    for record in records:
        record.finish("KILLED")
    gate.asked = 0
    told = list(deliver_left(store))
    assert [(left.name, left.num_waiting, left.away) for left in told] == [
        ("one", 1, True),
        ("two", 1, True),
        ("three", 1, True),
    ]
    assert gate.asked == 1


def test_a_look_costs_nothing_where_nothing_is_expected(store: Store) -> None:
    for number in range(NUM_FOLDERS):
        (store.root / "runs" / f"{number:032x}").mkdir()
    began = time.process_time()
    assert take_along(store, print)
    assert time.process_time() - began < 0.01
    start(store).finish("FINISHED")
    assert list((store.root / "waiting").iterdir()) == []


def test_sync_says_what_was_delivered_and_what_still_waits(root: Path, store: Store, gate: Gate) -> None:
    done, foreign = start(store, name="done"), start(store, name="foreign")
    gate.error = GONE
    for record in (done, foreign):
        record.finish("KILLED")
    mark = root / "waiting" / foreign.folder.name
    mark.write_text("http://elsewhere\n")
    told = CliRunner().invoke(cli, ["sync", "--root", str(root)])
    assert told.exit_code == 1
    assert told.output.splitlines() == [
        f"done ({done.run_id[:8]}): 1 delivered",
        f"foreign ({foreign.run_id[:8]}): 0 delivered, 1 waiting: it is for http://elsewhere",
        "1 of the runs still wait.",
    ]
    mark.unlink()
    told = CliRunner().invoke(cli, ["sync", "--root", str(root)])
    assert (told.exit_code, told.output.splitlines()[-1]) == (0, "Nothing waits.")
    gate.error = None
    assert differences(store, foreign.folder) == []


def test_a_journal_of_before_it_told_more_than_metrics_is_delivered(store: Store) -> None:
    run = store.client.create_run(store.experiment("e"))
    folder = store.root / "runs" / run.info.run_id
    journal = Journal(folder)
    journal.append({"loss": 1.0}, 1)
    journal.close()
    expect(store, folder)
    assert take_along(store, print)
    assert Record(store, run.info.run_id).has("none") is False
    assert store.client.get_run(run.info.run_id).data.metrics == {"loss": 1.0}
