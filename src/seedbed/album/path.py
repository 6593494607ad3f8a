"""What a penalty does to a linear model's weights: a study of penalties in one picture."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from seedbed.album.evaluated import model_of
from seedbed.metric.glossary import GLOSSARY
from seedbed.model.linear import Linear
from seedbed.picture import path as drawing
from seedbed.picture.path import Stop
from seedbed.picture.picture import Picture
from seedbed.predictor import Predictor
from seedbed.track.kept import kept
from seedbed.track.store import Store
from seedbed.verdict.members import Member, members

PENALTY = "objective.l2"
METRICS = ("accuracy", "loss")


def penalty_path(store: Store, study_id: str) -> Picture | None:
    """The weight templates of a study of `objective.l2`; None where it is no such study of images.

    Args:
        store: where the study is.
        study_id: its parent run.
    """
    groups: dict[float, list[Member]] = {}
    for run in members(store, study_id):
        if run.status == "FINISHED" and PENALTY in run.params:
            groups.setdefault(float(run.params[PENALTY]), []).append(run)
    if len(groups) < 2:
        return None
    names = _metrics([run for runs in groups.values() for run in runs])
    stops: list[Stop] = []
    classes: Sequence[str] = ()
    for penalty, runs in groups.items():
        model = _model(store, runs[0])
        if model is None or not _has_templates(model):
            return None
        classes = model.class_names
        metrics = {name: [run.metrics[name] for run in runs] for name in names}
        stops.append(Stop(penalty, _templates(model), metrics))
    units = {name: GLOSSARY[name.rpartition("/")[2]].unit for name in names}
    return drawing.penalty_path(stops, classes, units, "of the run that was started first")


def _metrics(runs: Sequence[Member]) -> list[str]:
    """Of the test split where every run has read it, else of validation."""
    prefix = "test" if all("test/loss" in run.metrics for run in runs) else "best_val"
    return [f"{prefix}/{name}" for name in METRICS if all(f"{prefix}/{name}" in run.metrics for run in runs)]


def _model(store: Store, run: Member) -> Predictor | None:
    with kept(store, run.run_id) as files:
        return model_of(files)


def _has_templates(model: Predictor) -> bool:
    return isinstance(model.network, Linear) and len(model.network.input_shape) == 3


def _templates(model: Predictor) -> NDArray[np.float64]:
    """Weights of each logit as an image, (class, row, column), averaged over the channels."""
    assert isinstance(model.network, Linear)
    weight = model.network.linear.weight.detach().to(torch.float64)
    images = weight.reshape(-1, *model.network.input_shape)
    found: NDArray[np.float64] = images.mean(dim=1).numpy()
    return found
