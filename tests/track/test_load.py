"""The machine's load is sampled beside the run and never in its way."""

import subprocess
import sys
import threading
from collections.abc import Mapping

from seedbed.track.load import Load

Samples = list[tuple[int, dict[str, float]]]


def test_a_load_that_is_stopped_at_once_has_one_sample() -> None:
    samples: Samples = []
    Load(lambda metrics, step: samples.append((step, dict(metrics))), first_step=5).stop()
    ((step, metrics),) = samples
    assert step == 5
    assert 0 < metrics["system/system_memory_usage_percentage"] < 100
    assert {"system/cpu_utilization_percentage", "system/disk_usage_percentage"} <= set(metrics)


def test_samples_go_on_in_steps_of_one_until_it_is_stopped() -> None:
    steps: list[int] = []
    enough = threading.Event()

    def log(_: Mapping[str, float], step: int) -> None:
        steps.append(step)
        if step == 3:
            enough.set()

    load = Load(log, interval_seconds=0.001)
    assert enough.wait(timeout=60)
    load.stop()
    assert steps == list(range(len(steps)))
    assert not [thread for thread in threading.enumerate() if thread.name == "seedbed-load"]


def test_it_keeps_no_process_alive() -> None:
    program = "from seedbed.track.load import Load; Load(print); raise SystemExit(7)"
    done = subprocess.run([sys.executable, "-c", program], check=False, timeout=60)
    assert done.returncode == 7
