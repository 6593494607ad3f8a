"""`seedbed export`: a file that other programs run, kept only if it says what the model says."""

import json
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jaxtyping
import numpy as np
import pytest
import torch

from seedbed.errors import ConfigError, SeedbedError
from seedbed.track.store import Store
from seedbed.train import run
from seedbed.use import formats
from seedbed.use.exporting import drawn_inputs, export, stored_inputs
from seedbed.use.graph import Graph
from seedbed.use.trained import Trained, trained
from seedbed.verdict.find import find
from tests import every_model
from tests.conftest import MakeJob
from tests.use.conftest import Garden

# Another library sums in another order.
ROUNDING = 1e-5


def run_onnx(file: Path, raw: Any) -> Any:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(file))
    return session.run(["probabilities"], {"raw": raw.numpy()})[0]


def test_onnx_answers_raw_pixels_with_the_models_probabilities(garden: Garden, tmp_path: Path) -> None:
    import onnx

    file = tmp_path / "digits.onnx"
    done = garden.verb("export", garden.ids["digits"], "--format", "onnx", "--out", str(file))
    assert done.exit_code == 0, done.exception
    told = (
        f"cnn digits 1 is in {file} ({file.stat().st_size} bytes). Run on 27 stored and 73 random inputs it"
    )
    assert told in done.stdout
    raw = torch.randint(0, 17, (13, 1, 8, 8), dtype=torch.uint8)
    expected = garden.predictor("digits")(raw).numpy()
    np.testing.assert_allclose(run_onnx(file, raw), expected, atol=ROUNDING)
    kept = {entry.key: entry.value for entry in onnx.load(file).metadata_props}
    assert json.loads(kept["class_names"]) == [str(digit) for digit in range(10)]


def test_pt2_answers_rows_of_a_table(garden: Garden, tmp_path: Path) -> None:
    file = tmp_path / "table.pt2"
    done = garden.verb("export", garden.ids["table"], "--format", "pt2", "--out", str(file))
    assert done.exit_code == 0, done.exception
    with garden.open("table") as model:
        raw = drawn_inputs(model, stored_inputs(model), 9)
    extra = {"class_names": ""}
    answer = torch.export.load(file, extra_files=extra).module()(raw)
    torch.testing.assert_close(answer, garden.predictor("table")(raw), rtol=0, atol=ROUNDING)
    assert json.loads(extra["class_names"]) == ["malignant", "benign"]


@pytest.fixture
def traceable() -> Iterator[None]:
    """Without checks of shapes, which a trace takes for part of the model."""
    jaxtyping.config.update("jaxtyping_disable", value=True)
    yield
    jaxtyping.config.update("jaxtyping_disable", value=False)


def test_torchscript_answers_without_a_warning(traceable: None, garden: Garden, tmp_path: Path) -> None:
    file = tmp_path / "digits.pt"
    done = garden.verb("export", garden.ids["digits"], "--format", "torchscript", "--out", str(file))
    assert done.exit_code == 0, done.exception
    raw = torch.randint(0, 17, (1, 1, 8, 8), dtype=torch.uint8)
    answer = formats.FORMATS["torchscript"].load(file)(raw)
    torch.testing.assert_close(answer, garden.predictor("digits")(raw), rtol=0, atol=ROUNDING)


def test_a_graph_computes_what_the_predictor_does(digits: Trained, table: Trained) -> None:
    for model in (digits, table):
        model.predictor.temperature = 1.7
        raw = drawn_inputs(model, stored_inputs(model), 5)
        # The graph's weights lie in memory in another order than the model's.
        torch.testing.assert_close(Graph(model)(raw), model.predictor(raw), rtol=ROUNDING, atol=0)


def test_drawn_inputs_are_like_those_of_the_data(digits: Trained, table: Trained) -> None:
    pixels = drawn_inputs(digits, stored_inputs(digits), 98)
    assert (pixels.dtype, int(pixels.min()), int(pixels.max())) == (torch.uint8, 0, 16)
    rows = drawn_inputs(table, stored_inputs(table), 98)
    assert rows.dtype == torch.float64
    spread = rows.std(0) / table.predictor.preprocessing.sd
    assert 0.7 < float(spread.min()) < float(spread.max()) < 4  # most stored rows are the worst, far out
    assert torch.equal(pixels, drawn_inputs(digits, stored_inputs(digits), 98))


@pytest.fixture
def lying(monkeypatch: pytest.MonkeyPatch) -> None:
    """A format whose files say something else."""

    def write(graph: Any, example: Any, class_names: Any, file: Path) -> None:
        file.write_bytes(b"x")

    def load(file: Path) -> Any:
        return lambda raw: torch.full((len(raw), 10), 0.1)

    monkeypatch.setitem(formats.FORMATS, "pt2", formats.Format(".pt2", (), write, load, "{}"))


def test_a_file_that_says_something_else_is_not_kept(lying: None, digits: Trained, tmp_path: Path) -> None:
    told = r"the pt2 file of run cnn digits 1: expected the model's probabilities within 1e-05, got a diff"
    with pytest.raises(SeedbedError, match=told):
        export(digits, "pt2", tmp_path / "model.pt2")
    assert not list(tmp_path.iterdir())


def test_no_number_is_something_else(traceable: None, digits: Trained, tmp_path: Path) -> None:
    digits.predictor.temperature = float("nan")
    with pytest.raises(SeedbedError, match="got a difference of nan"):
        export(digits, "torchscript", tmp_path / "model.pt")


def test_a_feature_map_is_refused(garden: Garden, tmp_path: Path) -> None:
    error = garden.verb("export", garden.ids["mapped"], "--format", "onnx").exception
    assert isinstance(error, ConfigError)
    assert "got one with a feature map of scikit-learn, PolynomialFeatures. Serve it through MLflow" in str(
        error
    )


def test_a_model_of_codes_is_refused(
    digits: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(digits.predictor.network), "takes_codes", True)
    with pytest.raises(
        ConfigError, match="expected a model of pixels or of columns of numbers, got one of codes"
    ):
        export(digits, "onnx", tmp_path / "model.onnx")


def test_packages_that_are_missing_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def without(name: str) -> Any:
        return None if name == "onnxscript" else find_spec(name)

    monkeypatch.setattr(formats, "find_spec", without)
    with pytest.raises(ConfigError) as told:
        formats.of("onnx")
    assert str(told.value) == (
        "--format onnx: expected the packages onnx, onnxscript, onnxruntime, got no onnxscript. "
        "Type: pip install 'seedbed[export]'"
    )


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("there.pt2", "expected a file that is not there yet, got one that is there"),
        ("no/x.pt2", "no such fold"),
    ],
)
def test_a_place_where_nothing_can_be_written_is_named_first(
    garden: Garden, tmp_path: Path, name: str, told: str
) -> None:
    (tmp_path / "there.pt2").write_text("x")
    done = garden.verb("export", garden.ids["digits"], "--format", "pt2", "--out", str(tmp_path / name))
    assert told in str(done.exception)
    assert (tmp_path / "there.pt2").read_text() == "x"


@pytest.mark.slow
@pytest.mark.parametrize("kind", formats.FORMATS)
@pytest.mark.parametrize("name", [name for name in every_model.NAMES if name != "hashed_logistic"])
def test_every_model_can_be_exported(
    traceable: None, make_job: MakeJob, tmp_path: Path, name: str, kind: str
) -> None:
    run_id = run(every_model.job_of(make_job, name, tmp_path)).run_id
    store = Store.open(tmp_path / "mlruns")
    with trained(store, find(store, run_id)) as model:
        assert export(model, kind, tmp_path / "file").difference <= ROUNDING
