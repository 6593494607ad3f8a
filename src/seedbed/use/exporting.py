"""A fitted model as a file for other programs, kept only if it says there what it says here."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from seedbed.errors import ConfigError, SeedbedError, StoreError
from seedbed.predictor import EXAMPLE
from seedbed.use.formats import Run, of
from seedbed.use.graph import Graph
from seedbed.use.inputs import is_of_images
from seedbed.use.trained import FOLDER, Trained

NUM_CHECKED, SEED = 100, 0
WORST = ("test/worst.npz", "val/worst.npz")
# Of a probability: the same sums in another order, over some hundred terms, by the type of the weights.
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-10}
# Batches of these sizes: the number of inputs is free, and 1 is where a graph most easily freezes it.
SIZES = (1, 7)


class ExportError(SeedbedError):
    """A file that does not say what its model says; it is not kept."""


class Exported(NamedTuple):
    """What was written.

    Args:
        file: where.
        num_bytes: its size.
        num_stored: of the inputs that it was checked on, those that the record keeps.
        num_drawn: those that were drawn at random in the range of the data.
        difference: the largest of any probability, in absolute value.
    """

    file: Path
    num_bytes: int
    num_stored: int
    num_drawn: int
    difference: float


def export(model: Trained, format_name: str, out: Path | None) -> Exported:
    """Writes a model to a file, after running that file on 100 inputs against the model itself.

    Args:
        model: of a run.
        format_name: one of `formats.FORMATS`.
        out: the file, not there yet; None: `model` with the format's ending, in this folder.

    Raises:
        ConfigError: for a model with a feature map or of codes, and for packages that are missing.
        StoreError: for a file that is there, or cannot be written.
        ExportError: where the exported model says something else.
    """
    if model.predictor.feature_map is not None:
        raise _mapped(model)
    if model.predictor.network.takes_codes:
        raise _coded(model)
    wanted = of(format_name)
    out = out or Path(f"model{wanted.ending}")
    _check_out(out)
    stored = stored_inputs(model)
    drawn = drawn_inputs(model, stored, NUM_CHECKED - len(stored))
    raw = torch.cat([stored, drawn])
    with TemporaryDirectory() as scratch:
        file = Path(scratch) / out.name
        wanted.write(Graph(model), raw[:2], model.predictor.class_names, file)
        difference = _difference(model, wanted.load(file), raw)
        _check(model, format_name, difference)
        content = file.read_bytes()
    try:
        out.write_bytes(content)
    except OSError as error:
        raise _unwritable(out, str(error.strerror or error)) from error
    return Exported(out, len(content), len(stored), len(drawn), difference)


def stored_inputs(model: Trained) -> Tensor:
    """The raw inputs that the record keeps: the model's example, and those that it does worst on."""
    files = model.subject.files
    found = [np.load(files[f"{FOLDER}/{EXAMPLE}"], allow_pickle=False)]
    for path in WORST:
        if path in files:
            with np.load(files[path], allow_pickle=False) as kept:
                found.append(kept["inputs"])
    stored = np.concatenate([part.astype(found[0].dtype) for part in found])
    return torch.from_numpy(stored[:NUM_CHECKED])


def drawn_inputs(model: Trained, stored: Tensor, number: int) -> Tensor:
    """Raw inputs like those of the data: any pixels, or rows around the stored ones.

    Args:
        model: whose preprocessing knows scale and spread of the data.
        stored: of the record.
        number: how many, 0 or more.
    """
    generator = torch.Generator().manual_seed(SEED)
    shape = (number, *model.predictor.raw_shape)
    if is_of_images(model):
        return torch.randint(0, int(model.full_scale) + 1, shape, generator=generator, dtype=stored.dtype)
    around = stored[torch.arange(number) % len(stored)]
    noise = torch.randn(shape, generator=generator, dtype=stored.dtype)
    return around + noise * model.predictor.preprocessing.sd.to(stored.dtype)


def _difference(model: Trained, run: Run, raw: Tensor) -> float:
    expected = model.predictor(raw)
    with torch.no_grad():
        answers = [(run(raw), expected), *((run(raw[:size]), expected[:size]) for size in SIZES)]
    return max(float((answer - own).abs().max()) for answer, own in answers)


def _check(model: Trained, format_name: str, difference: float) -> None:
    dtype = next(model.predictor.network.parameters()).dtype
    if not difference <= TOLERANCE[dtype]:
        raise ExportError(
            f"the {format_name} file of run {model.name}",
            expected=f"the model's probabilities within {TOLERANCE[dtype]:.0e}",
            got=f"a difference of {difference:.1e}",
            do="Nothing was written; choose another --format.",
        )


def _mapped(model: Trained) -> ConfigError:
    names = "onnx, torchscript and pt2"
    return ConfigError(
        f"run {model.name} ({model.run_id})",
        expected=f"a model of tensors alone, which is all that {names} hold",
        got=f"one with a feature map of scikit-learn, {type(model.predictor.feature_map).__name__}",
        do=f"Serve it through MLflow instead: seedbed register {model.run_id[:8]} --name NAME",
    )


def _coded(model: Trained) -> ConfigError:
    return ConfigError(
        f"run {model.name} ({model.run_id})",
        expected="a model of pixels or of columns of numbers",
        got="one of codes, which the text of a row has to be made into first",
        do="Load it in Python, where the codes are made: mlflow.pyfunc.load_model.",
    )


def _check_out(out: Path) -> None:
    if out.exists():
        raise _unwritable(out, "one that is there", "a file that is not there yet")
    if not out.absolute().parent.is_dir():
        raise _unwritable(out, "no such folder")


def _unwritable(out: Path, got: str, expected: str = "a file that can be written") -> StoreError:
    return StoreError(f"--out {out}", expected=expected, got=got, do="Choose another: --out FILE.")
