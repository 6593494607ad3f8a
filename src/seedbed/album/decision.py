"""What a model of two columns says all over their plane."""

import numpy as np
import torch

from seedbed.album.evaluated import model_of, split_of
from seedbed.picture.picture import Picture
from seedbed.picture.plane import Field, Points, plane
from seedbed.reproduce.check import Subject

NUM_PLACES = 61  # of the grid, each way
MARGIN = 0.08  # beyond the outermost examples, of their extent


def decision_plane(subject: Subject) -> Picture | None:
    """Probabilities and decision line; None unless the data is a table of two columns."""
    split, model = split_of(subject), model_of(subject.files)
    path = subject.files.get(f"{split}/points.npz")
    if split is None or model is None or path is None:
        return None
    with np.load(path) as kept:
        inputs, labels = kept["inputs"].astype(np.float64), kept["labels"]
        columns = tuple(map(str, kept["columns"]))
    across, up = (_axis(inputs[:, column]) for column in (0, 1))
    mesh = np.stack(np.meshgrid(across, up), axis=-1)
    said = model(torch.from_numpy(mesh.reshape(-1, 2))).to(torch.float64).numpy()
    field = Field((columns[0], columns[1]), across, up, said.reshape(*mesh.shape[:2], -1))
    return plane(field, Points(inputs, labels), model.class_names, split)


def _axis(values: np.ndarray) -> np.ndarray:
    low, high = float(values.min()), float(values.max())
    room = (high - low) * MARGIN or 1.0
    return np.linspace(low - room, high + room, NUM_PLACES)
