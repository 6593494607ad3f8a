"""A run of one store in another: what there is to know of it, and how it is made there."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from seedbed.track.entries import Point
from seedbed.track.journal import MAX_BATCH
from seedbed.track.kept import models_of
from seedbed.track.registered import NAME as MODEL
from seedbed.track.store import Store

PARENT = "mlflow.parentRunId"
# MLflow takes no more of them at once.
MAX_TEXTS = 100
ENDED = ("FINISHED", "FAILED", "KILLED")


class Copy(NamedTuple):
    """One run, out of its store.

    Args:
        told: as `described_run` tells it.
        points: of all metrics.
        artifacts: folder of the files; None: none.
        model: folder of the model's; None: none.
    """

    told: Mapping[str, Any]
    points: Iterable[Point]
    artifacts: Path | None
    model: Path | None


def described_run(store: Store, run: Any) -> dict[str, Any]:
    """All that the store knows of a run but its metrics and files, as plain values.

    Args:
        store: where it is.
        run: MLflow's own.
    """
    models = models_of(store, run)
    return {
        "run_id": run.info.run_id,
        "experiment": store.client.get_experiment(run.info.experiment_id).name,
        "name": run.info.run_name,
        "status": run.info.status,
        "start_time": run.info.start_time,
        "end_time": run.info.end_time,
        "params": dict(run.data.params),
        "tags": dict(run.data.tags),
        "inputs": [_described_input(used) for used in (run.inputs.dataset_inputs if run.inputs else [])],
        "model": {"type": models[0].model_type, "status": str(models[0].status)} if models else None,
    }


def _described_input(used: Any) -> dict[str, Any]:
    names = ("name", "digest", "source_type", "source", "schema", "profile")
    told: dict[str, Any] = {name: getattr(used.dataset, name) for name in names}
    return told | {"tags": {tag.key: tag.value for tag in used.tags}}


def begin(store: Store, told: Mapping[str, Any], tags: Mapping[str, str]) -> str:
    """Makes the run, RUNNING and empty; its id.

    Args:
        store: where it is to be.
        told: as `described_run` tells it.
        tags: that it has from the first moment, by which it is found again.
    """
    made = store.client.create_run(
        store.experiment(told["experiment"]),
        start_time=told["start_time"],
        tags=dict(tags),
        run_name=told["name"],
    )
    return str(made.info.run_id)


def fill(store: Store, run_id: str, run: Copy) -> None:
    """Puts in all there is, with its end as the last; a second time completes the first.

    Args:
        store: where the run is.
        run_id: the run's id there.
        run: what it is to be.
    """
    from mlflow.entities import Metric, Param

    for params in _batched(run.told["params"].items(), MAX_TEXTS):
        store.client.log_batch(run_id, params=[Param(name, text) for name, text in params])
    for points in _batched(run.points, MAX_BATCH):
        metrics = [Metric(point.name, point.value, point.time, point.step) for point in points]
        store.client.log_batch(run_id, metrics=metrics, synchronous=True)
    _fill_inputs(store, run_id, run.told["inputs"])
    if run.artifacts is not None:
        store.client.log_artifacts(run_id, str(run.artifacts))
    if run.told["model"] is not None and run.model is not None:
        _fill_model(store, run_id, run.told["model"], run.model)
    if run.told["status"] in ENDED:
        store.client.set_terminated(run_id, run.told["status"], run.told["end_time"])


def _fill_inputs(store: Store, run_id: str, used: Iterable[Mapping[str, Any]]) -> None:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    inputs = []
    for one in used:
        tags = [InputTag(name, text) for name, text in one["tags"].items()]
        inputs.append(DatasetInput(Dataset(**{k: v for k, v in one.items() if k != "tags"}), tags))
    if inputs:
        store.client.log_inputs(run_id, datasets=inputs)


def _fill_model(store: Store, run_id: str, told: Mapping[str, str], folder: Path) -> None:
    from mlflow.entities import LoggedModelOutput

    client, run = store.client, store.client.get_run(run_id)
    known = models_of(store, run)
    linked = {output.model_id for output in run.outputs.model_outputs} if run.outputs else set()
    model = known[0] if known else None
    if model is None:
        model = client.create_logged_model(
            run.info.experiment_id, MODEL, source_run_id=run_id, model_type=told["type"]
        )
    client.log_model_artifacts(model.model_id, str(folder))
    if model.model_id not in linked:
        client.log_outputs(run_id, [LoggedModelOutput(model.model_id, step=0)])
    client.finalize_logged_model(model.model_id, told["status"])


def _batched(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """The items in order, at most so many at a time."""
    left = iter(items)
    while batch := list(islice(left, size)):
        yield batch
