"""Features: the inputs of a linear model, mapped once by a scikit-learn transformer."""

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch

from seedbed.data.preprocessing import Preprocessing
from seedbed.data.rows import Columns, Rows, Table
from seedbed.data.source import Part
from seedbed.errors import ConfigError
from seedbed.shapes import Indices


@runtime_checkable
class FeatureMap(Protocol):
    """The part of a scikit-learn transformer that is used."""

    def fit(self, X: Any) -> Any:  # noqa: N803 - scikit-learn's name
        """Learns knots, centres and the like from rows of inputs."""

    def transform(self, X: Any) -> Any:  # noqa: N803
        """Maps rows of inputs to rows of features."""


def mapped(
    feature_map: FeatureMap,
    preprocessing: Preprocessing,
    files: Mapping[int, Rows],
    train: Part,
    dtype: torch.dtype,
) -> dict[int, Rows]:
    """Fits the map on the training split and applies it to every row of every file.

    Args:
        feature_map: fitted here, in place.
        preprocessing: in float64, comes before the map.
        files: raw inputs of each source file under any key; every example is flattened to one row.
        train: the examples that the map may learn from.
        dtype: type of the features that are kept; they are computed in float64.

    Returns:
        The features of each file under its key.

    Raises:
        ConfigError: if the features do not fit in memory or the images are streamed.
    """
    if not all(rows.in_memory for rows in files.values()):
        raise ConfigError(
            "features",
            expected="data held in memory",
            got="images that are streamed from their files",
            do="Raise data.memory_limit_gib, lower data.image_size or set features=null.",
        )
    feature_map.fit(_flat(preprocessing, train.rows, train.indices))
    return {file: _mapped(feature_map, preprocessing, rows, dtype) for file, rows in files.items()}


def _flat(preprocessing: Preprocessing, rows: Rows, indices: Indices) -> Any:
    (raw,) = rows.batches([indices])
    return preprocessing(raw).flatten(1).numpy()


def _mapped(feature_map: FeatureMap, preprocessing: Preprocessing, rows: Rows, dtype: torch.dtype) -> Table:
    flat = _flat(preprocessing, rows, torch.arange(len(rows)))
    try:
        features: Columns = torch.from_numpy(np.ascontiguousarray(feature_map.transform(flat)))
    except MemoryError as failure:
        raise ConfigError(
            "features",
            expected="features that fit in memory",
            got=f"{failure} (from {flat.shape[1]} inputs of {len(flat)} examples)",
            do="Choose a lower degree or fewer components.",
        ) from failure
    return Table(features.to(dtype))
