"""File formats that other programs run: written, and run again, each by its own library."""

import json
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from seedbed.errors import ConfigError

INPUT, OUTPUT, CLASSES = "raw", "probabilities", "class_names"
EXTRA = "seedbed[export]"
Run = Callable[[Tensor], Tensor]


class Format(NamedTuple):
    """One format.

    Args:
        ending: of its files.
        needs: packages that must be installed, beside torch.
        write: graph, example inputs, class names and file.
        load: the file as a function, by the library that others would use.
        use: how one calls it from Python, with the file in place of `{}`.
    """

    ending: str
    needs: Sequence[str]
    write: Callable[[nn.Module, Tensor, Sequence[str], Path], None]
    load: Callable[[Path], Run]
    use: str


def of(name: str) -> Format:
    """The format of this name.

    Raises:
        ConfigError: where a package that it needs is not installed.
    """
    found = FORMATS[name]
    missing = [package for package in found.needs if find_spec(package) is None]
    if missing:
        raise ConfigError(
            f"--format {name}",
            expected="the packages " + ", ".join(found.needs),
            got="no " + ", ".join(missing),
            do=f"Type: pip install '{EXTRA}'",
        )
    return found


def _any_number() -> tuple[dict[int, Any]]:
    return ({0: torch.export.Dim("batch")},)


def _write_pt2(graph: nn.Module, example: Tensor, class_names: Sequence[str], file: Path) -> None:
    program = torch.export.export(graph, (example,), dynamic_shapes=_any_number())
    torch.export.save(program, file, extra_files={CLASSES: json.dumps(list(class_names))})


def _load_pt2(file: Path) -> Run:
    loaded: Run = torch.export.load(file).module()
    return loaded


@contextmanager
def _deprecated() -> Iterator[None]:
    """Without torch's advice to use another format, which the caller has heard of."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"`torch\.jit\.\w+` is deprecated")
        # Whether a trace holds for other inputs is tried on them before the file is kept.
        warnings.simplefilter("ignore", torch.jit.TracerWarning)  # type: ignore[attr-defined]
        yield


def _write_torchscript(graph: nn.Module, example: Tensor, class_names: Sequence[str], file: Path) -> None:
    with _deprecated():
        traced = torch.jit.trace(graph, (example,), check_trace=False)  # type: ignore[no-untyped-call]
        torch.jit.save(traced, file, _extra_files={CLASSES: json.dumps(list(class_names))})


def _load_torchscript(file: Path) -> Run:
    with _deprecated():
        loaded: Run = torch.jit.load(file, map_location="cpu")  # type: ignore[no-untyped-call]
    return loaded


def _write_onnx(graph: nn.Module, example: Tensor, class_names: Sequence[str], file: Path) -> None:
    program = torch.onnx.export(
        graph,
        (example,),
        input_names=[INPUT],
        output_names=[OUTPUT],
        dynamic_shapes=_any_number(),
        external_data=False,
        dynamo=True,
        verbose=False,
    )
    assert program is not None  # with dynamo
    program.model.metadata_props[CLASSES] = json.dumps(list(class_names))
    program.save(str(file))


def _load_onnx(file: Path) -> Run:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])

    def run(raw: Tensor) -> Tensor:
        (answer,) = session.run([OUTPUT], {INPUT: raw.numpy()})
        return torch.from_numpy(answer)

    return run


FORMATS: Mapping[str, Format] = {
    "onnx": Format(
        ".onnx",
        ("onnx", "onnxscript", "onnxruntime"),
        _write_onnx,
        _load_onnx,
        f"onnxruntime.InferenceSession({{}}).run(['{OUTPUT}'], {{{{'{INPUT}': array}}}})",
    ),
    "torchscript": Format(".pt", (), _write_torchscript, _load_torchscript, "torch.jit.load({})(tensor)"),
    "pt2": Format(".pt2", (), _write_pt2, _load_pt2, "torch.export.load({}).module()(tensor)"),
}


def example_of_use(name: str, file: Path) -> str:
    """A line of Python that runs a file of this format."""
    return FORMATS[name].use.format(repr(str(file)))
