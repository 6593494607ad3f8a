"""The fitted model in use: raw inputs in, class probabilities out, from plain files.

A folder holds `predictor.json` (how to build it), `weights.pt` (tensors), `example.npy` (raw inputs)
and, for a mapped linear model, `features.skops`. None of them can run code when it is read.
"""

import importlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, final

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from seedbed.data.preprocessing import Preprocessing
from seedbed.data.rows import Raw
from seedbed.errors import DataError, StoreError
from seedbed.model.network import Network
from seedbed.shapes import Facts, Logits

Probabilities = Float[Tensor, "batch class"]

DESCRIPTION, WEIGHTS, EXAMPLE, FEATURES = "predictor.json", "weights.pt", "example.npy", "features.skops"
# Only code of ours is built from a file.
NETWORKS = "seedbed.model."
# What skops does not trust of itself, and a spline transformer consists of: scipy up to 1.17, from 1.18.
TRUSTED = (
    "scipy._lib.array_api_compat.numpy._aliases.asarray",
    "scipy.interpolate._bsplines.BSpline",
    "scipy.interpolate._bsplines._BSpline",
)
NUM_EXAMPLES = 2
# What the readers of the four files raise over a file that is none of theirs.
UNREADABLE = (OSError, EOFError, ValueError, KeyError, TypeError, RuntimeError, UnpicklingError)


def save(
    folder: Path,
    *,
    network_config: Mapping[str, Any],
    facts: Facts,
    state: Mapping[str, Tensor],
    preprocessing: Preprocessing,
    feature_map: Any,
    dtype: str,
    example: Raw,
    column_names: Sequence[str] = (),
) -> None:
    """Writes a fitted model as plain files.

    Args:
        folder: made where it is missing.
        network_config: `_target_` and the keys that the network was built from.
        facts: what the data told the network.
        state: the network's weights.
        preprocessing: from raw inputs to what the network, or the feature map, sees.
        feature_map: fitted scikit-learn transformer between the two; None: none.
        dtype: the precision it was trained in, for people; the weights have their own type.
        example: one raw input or more; their shape and type are what the model takes.
        column_names: of a table, in order; empty for images.
    """
    folder.mkdir(parents=True, exist_ok=True)
    told = {
        "loader": __name__,
        "network": dict(network_config),
        "input_shape": list(facts.input_shape),
        "class_names": list(facts.class_names),
        "column_names": list(column_names),
        "precision": dtype,
        "requires": [] if feature_map is None else ["scikit-learn", "skops"],
    }
    (folder / DESCRIPTION).write_text(json.dumps(told, indent=2) + "\n")
    tensors = {"network": dict(state), "preprocessing": preprocessing.state_dict()}
    torch.save(_on_cpu(tensors), folder / WEIGHTS)
    np.save(folder / EXAMPLE, example[:NUM_EXAMPLES].cpu().numpy())
    (folder / FEATURES).unlink(missing_ok=True)
    if feature_map is not None:
        import skops.io

        skops.io.dump(feature_map, folder / FEATURES)


def _on_cpu(tensors: Mapping[str, Mapping[str, Tensor]]) -> dict[str, dict[str, Tensor]]:
    return {part: {name: value.cpu() for name, value in state.items()} for part, state in tensors.items()}


@final
class Predictor(nn.Module):
    """Raw inputs to class probabilities, in evaluation mode.

    Args:
        network: inputs to logits, with its likelihood.
        preprocessing: raw inputs to what the network, or the feature map, sees.
        feature_map: scikit-learn transformer of the flattened inputs; None: none.
        class_names: what the columns of the probabilities mean.
        raw_shape: axes of one raw input.
        column_names: of a table, in order; empty for images, and where the folder does not say.
        temperature: what the logits are divided by, above 0; 1 leaves the network's probabilities.
    """

    def __init__(
        self,
        network: Network,
        preprocessing: Preprocessing,
        feature_map: Any,
        class_names: Sequence[str],
        raw_shape: tuple[int, ...],
        column_names: Sequence[str] = (),
        temperature: float = 1.0,
    ) -> None:
        super().__init__()
        self.network, self.preprocessing = network, preprocessing
        self.feature_map, self.class_names, self.raw_shape = feature_map, tuple(class_names), raw_shape
        self.column_names, self.temperature = tuple(column_names), temperature
        self.eval()

    @classmethod
    def load(cls, folder: Path) -> "Predictor":
        """Reads what `save` wrote; a StoreError for a folder that is not whole or names others' code."""
        try:
            told = json.loads((folder / DESCRIPTION).read_text())
            tensors = torch.load(folder / WEIGHTS, map_location="cpu", weights_only=True)
            example = np.load(folder / EXAMPLE)
            network = _network(told, tensors["network"])
            preprocessing = Preprocessing(**tensors["preprocessing"])
            feature_map = _feature_map(folder / FEATURES)
            if feature_map is not None:
                preprocessing.double()  # as it was when the map was fitted
            temperature = float(told.get("temperature", 1.0))
        except UNREADABLE as error:
            raise _broken(folder, error) from error
        names, columns = told["class_names"], told.get("column_names", ())
        return cls(network, preprocessing, feature_map, names, example.shape[1:], columns, temperature)

    def forward(self, raw: Raw) -> Probabilities:
        """Probabilities that sum to 1 over the classes.

        Raises:
            DataError: for inputs of another shape than the model was trained on.
        """
        logits = self.logits(raw) / self.temperature
        return self.network.likelihood.log_probabilities(logits).exp()

    def logits(self, raw: Raw) -> Logits:
        """What the network itself says, whatever the temperature.

        Raises:
            DataError: for inputs of another shape than the model was trained on.
        """
        if tuple(raw.shape[1:]) != self.raw_shape:
            raise DataError(
                "input",
                expected=f"(any number, {', '.join(map(str, self.raw_shape))})",
                got=str(tuple(raw.shape)),
                do="Give raw inputs as the model's input example has them.",
            )
        with torch.no_grad():
            logits: Logits = self.network(self._inputs(raw))
        return logits

    def _inputs(self, raw: Raw) -> Tensor:
        inputs: Tensor = self.preprocessing(raw)
        if self.feature_map is not None:  # scikit-learn works in float64
            rows = inputs.flatten(1).to(torch.float64).cpu().numpy()
            inputs = torch.from_numpy(np.ascontiguousarray(self.feature_map.transform(rows)))
        return inputs.to(raw.device, next(self.network.parameters()).dtype)


def _network(told: Mapping[str, Any], state: Mapping[str, Tensor]) -> Network:
    target = str(told["network"]["_target_"])
    if not target.startswith(NETWORKS):
        raise ValueError(f"a network that is none of ours: {target}")
    module, _, name = target.rpartition(".")
    keys = {key: value for key, value in told["network"].items() if key != "_target_"}
    keys |= {"input_shape": tuple(told["input_shape"]), "num_classes": len(told["class_names"])}
    with torch.random.fork_rng(devices=[]):  # first weights are drawn, and at once overwritten
        network: Network = getattr(importlib.import_module(module), name)(**keys)
    network.load_state_dict(state, assign=True)  # their type and place in memory decide the last digits
    return network


def _feature_map(path: Path) -> Any:
    if not path.exists():
        return None
    import skops.io

    return skops.io.load(path, trusted=list(TRUSTED))


def _broken(folder: Path, error: Exception) -> StoreError:
    return StoreError(
        f"predictor in {folder}",
        expected=f"{DESCRIPTION}, {WEIGHTS} and {EXAMPLE} as `save` writes them",
        got=f"{type(error).__name__}: {str(error).partition(chr(10))[0]}",
        do="Take the folder from the run's record again.",
    )


@final
class Served:
    """A predictor as MLflow calls it: arrays or a data frame in, a data frame of probabilities out."""

    def __init__(self, predictor: Predictor) -> None:
        self.predictor = predictor

    def predict(self, model_input: Any) -> Any:
        """One row an input, one column a class."""
        import pandas as pd

        array = np.array(model_input, order="C")  # another layout would move a last digit
        raw = torch.from_numpy(array if array.dtype == np.uint8 else array.astype(np.float64))
        columns = list(self.predictor.class_names)
        return pd.DataFrame(self.predictor(raw).to(torch.float64).numpy(), columns=columns)


def _load_pyfunc(path: str) -> Served:
    """What MLflow calls to load the model."""
    return Served(Predictor.load(Path(path)))
