"""How long a study will take, from the runs that are on record."""

import statistics
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from seedbed.job import Job

# Enough to go by, and one request.
NUM_RUNS = 500
# What a run costs beside its epochs in a process that is warm: record, evaluation, model.
SECONDS_BESIDE = 1.0


class Pace:
    """Seconds an epoch of each model on each data set, as earlier runs of an experiment took them.

    Args:
        store: an open store.
        experiment: MLflow's name of the experiment; it need not exist.
    """

    def __init__(self, store: Any, experiment: str) -> None:
        self._seconds: dict[tuple[str, str], list[float]] = defaultdict(list)
        found = store.client.get_experiment_by_name(experiment)
        if found is None:
            return
        runs = store.client.search_runs(
            [found.experiment_id],
            filter_string="attributes.status = 'FINISHED' AND tags.seedbed.kind = 'run'",
            order_by=["attributes.start_time DESC"],
            max_results=NUM_RUNS,
        )
        for run in runs:
            model, data = run.data.params.get("model", ""), run.data.params.get("data", "")
            if "train/epoch_seconds" in run.data.metrics:
                self._seconds[model, data].append(run.data.metrics["train/epoch_seconds"])

    def seconds(self, job: Job) -> float | None:
        """Expected seconds of a run; None where no run of its model and data is on record."""
        known = self._seconds.get((job.choices["model"], job.choices["data"]))
        if not known:
            return None
        return float(statistics.median(known) * job.config["trainer"]["max_epochs"] + SECONDS_BESIDE)

    def mean_seconds(self, jobs: Iterable[Job]) -> float | None:
        """Expected seconds of one of these runs; None unless all are known."""
        told = [self.seconds(job) for job in jobs]
        known = [seconds for seconds in told if seconds is not None]
        return statistics.fmean(known) if known and len(known) == len(told) else None
