"""A registered model of images as a server calls it: arrays of pixels, or image files as base64 text.

It runs without this repository, so it imports no more than it needs, and no run, job or store.
"""

import base64
import binascii
import io
import json
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seedbed.errors import DataError
from seedbed.predictor import DESCRIPTION, Predictor, Served
from seedbed.use.images import Rule, pixels

# In the predictor's description: the rule of reading, which the run's job knows.
RULE = "reading"


@final
class ServedImages:
    """A predictor of images, and how files become its inputs."""

    def __init__(self, predictor: Predictor, rule: Rule) -> None:
        self._served, self._rule = Served(predictor), rule

    def predict(self, model_input: Any) -> Any:
        """One row an input, one column a class.

        Args:
            model_input: pixels as nested lists or an array of whole numbers, (number, channel, height,
                width); or a list, array or data frame of one column of texts, each an image file in base64.

        Raises:
            MlflowException: naming the input that does not fit, from 0; who asked hears it with status 400.
        """
        from mlflow.exceptions import MlflowException

        try:
            raw = self._raw(np.asarray(model_input))
            return self._served.predict(raw.numpy())
        except DataError as error:
            # Any other would reach who asked as a trace of this machine's files.
            raise MlflowException.invalid_parameter_value(str(error)) from error

    def _raw(self, given: NDArray[Any]) -> Tensor:
        if given.size and isinstance(given.flat[0], str):
            texts = given.reshape(-1).tolist()
            return torch.stack([self._decoded(place, text) for place, text in enumerate(texts)])
        return self._pixels(given)

    def _decoded(self, place: int, text: Any) -> Tensor:
        name = f"input {place}"
        try:
            content = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError, TypeError) as failure:
            raise DataError(
                name, expected="an image file in base64", got=str(failure), do="Encode the file's bytes."
            ) from failure
        return pixels(self._rule, io.BytesIO(content), name)

    def _pixels(self, given: NDArray[Any]) -> Tensor:
        full = self._rule.full_scale
        expected = f"whole numbers from 0 to {full:g}"
        try:
            numbers = np.array(given.tolist(), dtype=np.float64)
        except (TypeError, ValueError) as failure:
            raise _unfit(expected, str(failure)) from failure
        if not ((numbers >= 0) & (numbers <= full) & (numbers == np.round(numbers))).all():
            raise _unfit(expected, f"numbers from {numbers.min():g} to {numbers.max():g}, or fractions")
        return torch.from_numpy(numbers.astype(np.uint8))


def _unfit(expected: str, got: str) -> DataError:
    return DataError("input", expected=expected, got=got, do="Send pixels as the model was trained on.")


def _load_pyfunc(path: str) -> ServedImages:
    """What MLflow calls to load the model."""
    told = json.loads((Path(path) / DESCRIPTION).read_text())[RULE]
    rule = Rule(tuple(told["shape"]), bool(told["resizes"]), float(told["full_scale"]))
    return ServedImages(Predictor.load(Path(path)), rule)
