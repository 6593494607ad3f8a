"""The pictures of what a network looks at, made from a record."""

import csv
import io
import sys

import numpy as np
import pytest
import torch

from seedbed.album.attribution import Maps, Question
from seedbed.album.evaluated import model_of
from seedbed.album.explained import (
    FINEST,
    GRADCAM,
    INTEGRATED_GRADIENTS,
    averaged,
    explained,
    gradcam,
    integrated_gradients,
    occlusion,
)
from seedbed.album.makers import MAKERS
from seedbed.album.subjects import examples_of
from seedbed.errors import PictureError
from seedbed.model.network import Network
from seedbed.picture.picture import NAMES, Picture
from seedbed.reproduce.check import Subject

PASSED = "Parameter-randomisation check (Adebayo et al. 2018) passed"
# float32 sums in another order.
ROUNDING = 1e-4


def table(picture: Picture | None) -> list[dict[str, str]]:
    assert picture is not None
    return list(csv.DictReader(io.StringIO(picture.csv())))


@pytest.mark.parametrize("maker", [gradcam, integrated_gradients, occlusion])
def test_a_map_is_shown_with_what_the_check_found(cnn: Subject, maker: object) -> None:
    assert callable(maker)
    picture = maker(cnn)
    assert PASSED in picture.caption
    assert "5 draws, n = 12 examples; alike from 0.71 on" in picture.caption
    assert "n = 6 examples" in picture.svg


def test_the_same_record_gives_the_same_picture_to_the_byte(cnn: Subject) -> None:
    assert gradcam(cnn) == gradcam(cnn)


def test_the_table_holds_the_map_the_classes_and_the_probabilities(cnn: Subject) -> None:
    rows = table(integrated_gradients(cnn))
    assert len(rows) == 6 * 8 * 8
    model = model_of(cnn.files)
    assert model is not None
    examples = examples_of(cnn, model, 12)
    assert examples is not None
    worst = [row for row in rows if row["example"] == examples.places[0]]
    probabilities = examples.probabilities[0]
    assert worst[0]["true"] == model.class_names[examples.labels[0] or 0]
    assert worst[0]["predicted"] == model.class_names[int(probabilities.argmax())]
    assert float(worst[0]["p_predicted"]) == pytest.approx(probabilities.max())
    with torch.no_grad():
        ends = model.network(torch.cat([examples.inputs[:1], examples.baseline]))
    target = int(probabilities.argmax())
    total = sum(float(row["value"]) for row in worst)
    assert total == pytest.approx(float(ends[0, target] - ends[1, target]), rel=0.02, abs=ROUNDING)
    assert {row["true"] for row in rows if row["example"] == "learnt from"} == {""}


def test_a_method_that_ignores_the_network_is_not_drawn(cnn: Subject) -> None:
    def ink(_: Network, question: Question) -> Maps:
        return question.inputs[:, 0].detach()

    with pytest.raises(PictureError) as caught:
        explained(cnn, INTEGRATED_GRADIENTS._replace(method=ink))
    assert str(caught.value) == (
        f"picture integrated_gradients of run {cnn.member.name}: expected maps that random parameters change"
        " (Adebayo et al. 2018), got rank correlation 1.00 [1.00 to 1.00] of the values and"
        " 1.00 [1.00 to 1.00] of their absolute values (5 draws, n = 12 examples; alike from 0.71 on, 1 for a"
        " map that ignores the parameters). Such a map shows the input, not what was learnt, and is not"
        " drawn. Try another method."
    )


def test_what_a_run_has_nothing_for_is_none(cnn: Subject, mlp: Subject) -> None:
    assert gradcam(mlp) is None
    without = {name: path for name, path in cnn.files.items() if name != "test/worst.npz"}
    assert explained(cnn._replace(files=without), GRADCAM) is None
    without = {name: path for name, path in cnn.files.items() if not name.startswith("model/")}
    assert explained(cnn._replace(files=without), GRADCAM) is None


def test_a_perceptron_on_images_is_explained(mlp: Subject) -> None:
    picture = occlusion(mlp)
    assert picture is not None
    assert PASSED in picture.caption


def test_without_captum_the_error_says_what_to_install(cnn: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "captum.attr", None)
    with pytest.raises(PictureError, match=r"pip install 'seedbed\[explain\]'"):
        gradcam(cnn)


@pytest.mark.parametrize("shape", [(8, 8), (64, 64), (65, 65), (224, 224), (100, 70)])
def test_a_large_map_is_drawn_as_the_means_of_blocks(shape: tuple[int, int]) -> None:
    values = np.random.default_rng(0).normal(size=shape)
    found = averaged(values)
    assert max(found.shape) <= FINEST
    block = -(-max(shape) // FINEST)
    assert found[0, 0] == pytest.approx(values[:block, :block].mean())
    last = [size % block or block for size in shape]
    assert found[-1, -1] == pytest.approx(values[-last[0] :, -last[1] :].mean())


def test_every_maker_s_picture_is_one_that_a_report_knows() -> None:
    assert set(MAKERS) <= set(NAMES)
