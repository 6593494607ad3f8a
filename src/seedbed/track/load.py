"""The machine's load while a run lives: CPU, memory, disk, network, GPUs."""

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from seedbed.errors import StoreError

INTERVAL_SECONDS = 10.0

Log = Callable[[Mapping[str, float], int], None]


class Load:
    """Samples MLflow's own system monitors in a thread that keeps no process alive.

    MLflow's thread around them writes nothing before its second interval, asks the store for the
    run's status every time, and stops for good when the store is away. This one writes to the
    journal, and once more when it is stopped, so that a short run has its figures too.

    Args:
        log: takes metrics and a step.
        first_step: step of the first sample; the others count on.
        prefix: of the metrics' names.
        interval_seconds: time between two samples.
    """

    def __init__(
        self,
        log: Log,
        first_step: int = 0,
        *,
        prefix: str = "system/",
        interval_seconds: float = INTERVAL_SECONDS,
    ) -> None:
        self._prefix = prefix
        self._log, self._step, self._interval = log, first_step, interval_seconds
        self._monitors = _monitors()
        for monitor in self._monitors:  # a rate needs a beginning
            monitor.collect_metrics()
            monitor.clear_metrics()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="seedbed-load", daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._stopping.wait(self._interval):
            self._sample()

    def _sample(self) -> None:
        metrics: dict[str, float] = {}
        for monitor in self._monitors:
            monitor.collect_metrics()
            metrics |= {f"{self._prefix}{name}": value for name, value in monitor.aggregate_metrics().items()}
            monitor.clear_metrics()
        with suppress(StoreError):  # a disk that is full is told by whoever needs it more
            self._log(metrics, self._step)
            self._step += 1

    def stop(self) -> None:
        """Takes a last sample and ends the thread; a second time does nothing."""
        if self._stopping.is_set():
            return
        self._stopping.set()
        self._thread.join()
        self._sample()


def _monitors() -> list[Any]:
    from mlflow.system_metrics.metrics.cpu_monitor import CPUMonitor
    from mlflow.system_metrics.metrics.disk_monitor import DiskMonitor
    from mlflow.system_metrics.metrics.gpu_monitor import GPUMonitor
    from mlflow.system_metrics.metrics.network_monitor import NetworkMonitor

    kinds: list[Any] = [CPUMonitor, DiskMonitor, NetworkMonitor]
    monitors = [kind() for kind in kinds]
    try:
        monitors.append(GPUMonitor())  # type: ignore[no-untyped-call]
    except (ImportError, RuntimeError):  # no nvidia-ml-py, or no NVIDIA device: nothing to sample
        return monitors
    return monitors
