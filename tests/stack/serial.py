"""Runs made as a stack and one by one, side by side, from their records."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from seedbed.job import Job, typed
from seedbed.stack.together import together
from seedbed.track.store import Store
from seedbed.train import run

# Seconds differ, and so do digests of weights that differ in their last bits.
UNLIKE = ("fit/wall_seconds", "fit/cpu_seconds", "train/epoch_seconds")


class Left(NamedTuple):
    """What a run has left.

    Args:
        history: of each metric, as (step, value).
        weights: of the last checkpoint, by name.
        objectives: of every step.
        logits: of the test split.
        checkpoint: the last one.
        params: on record.
        status: on record.
    """

    history: dict[str, list[tuple[int, float]]]
    weights: dict[str, torch.Tensor]
    objectives: NDArray[Any]
    logits: NDArray[Any]
    checkpoint: dict[str, Any]
    params: dict[str, str]
    status: str
    tags: dict[str, str]


def left(job: Job, run_id: str) -> Left:
    """As the store has it."""
    from pathlib import Path

    store = Store.open(Path(job.config["track"]["root"]))
    run = store.client.get_run(run_id)
    history = {
        name: [(point.step, point.value) for point in store.client.get_metric_history(run_id, name)]
        for name in run.data.metrics
        if name not in UNLIKE
    }
    objectives, weights, checkpoint, logits = np.zeros(0), {}, {}, np.zeros((0, 0))
    files = {entry.path for entry in store.client.list_artifacts(run_id, "checkpoints")}
    if "checkpoints/last.ckpt" in files:
        path = store.client.download_artifacts(run_id, "checkpoints/last.ckpt")
        checkpoint = torch.load(path, weights_only=True)
        weights = checkpoint["state_dict"]
        objectives = np.load(store.client.download_artifacts(run_id, "fit/objectives.npy"))
    if store.client.list_artifacts(run_id, "test"):
        logits = np.load(store.client.download_artifacts(run_id, "test/predictions.npz"))["logits"]
    return Left(
        history, weights, objectives, logits, checkpoint, run.data.params, run.info.status, run.data.tags
    )


def stacked(jobs: Sequence[Job], *, shares: bool) -> list[Left]:
    """The jobs as one stack; every one must end well."""
    found = {}
    for number, error, outcome in together(jobs, shares=shares):
        if error is not None:
            raise error
        assert outcome is not None
        found[number] = left(jobs[number], outcome.run_id)
    return [found[number] for number in range(len(jobs))]


def alone(job: Job) -> Left:
    """The job by itself."""
    return left(job, run(job).run_id)


def vary(job: Job, *values: dict[str, Any]) -> list[Job]:
    """Jobs that differ in these keys."""
    return [typed(job, value) for value in values]
