"""Known gradients, drawn words, the layers of AlexNet as published."""

import csv
import io
from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import expit

from seedbed.errors import ConfigError
from seedbed.graph.capture import captured, outlined
from seedbed.graph.layers import layers
from seedbed.graph.scene import Scene, first_batch, random_images
from seedbed.graph.sheet import sheet
from seedbed.graph.words import Words
from seedbed.model.alexnet import Alexnet
from seedbed.objective import Objective
from seedbed.shapes import Batch
from tests.conftest import MakeJob
from tests.picture.test_pictures import words

# Sums of 33 numbers in double precision.
EXACT = 1e-14
LOGISTIC = ("model=logistic", "data=chd")
SMOOTHED = "objective.label_smoothing=0.1"


def test_the_gradient_of_logistic_regression_is_the_known_one(make_job: MakeJob) -> None:
    keys = ("model=logistic", "data=chd", "trainer.precision=64-true", "objective.l1=0.3", "objective.l2=0.2")
    scene = first_batch(make_job(*keys))
    nodes = {node.name: node for node in captured(scene).nodes}
    weight, bias = nodes["linear.weight"], nodes["linear.bias"]
    ages, sick = scene.batch.inputs.numpy()[:, 0], scene.batch.labels.numpy()
    slope = weight.value.item()
    residual = expit(slope * ages + bias.value.item()) - sick
    assert weight.gradient is not None
    assert bias.gradient is not None
    # Two ways lead from W to the objective: their gradients add up.
    expected = np.mean(residual * ages) + 0.3 * np.sign(slope) + 0.2 * slope
    assert weight.gradient.item() == pytest.approx(expected, rel=EXACT, abs=EXACT)
    assert bias.gradient.item() == pytest.approx(np.mean(residual), rel=EXACT, abs=EXACT)
    logits = nodes["linear"].gradient
    assert logits is not None
    np.testing.assert_allclose(logits.numpy()[:, 0], residual / len(ages), rtol=EXACT, atol=EXACT)


def test_probabilities_are_beside_the_objective(make_job: MakeJob) -> None:
    capture = captured(first_batch(make_job("model=logistic", "data=chd")))
    beside = [node for node in capture.nodes if node.modules and node.modules[0].path == "probability"]
    assert beside
    assert all(node.gradient is None for node in beside)
    assert [node.name for node in capture.nodes if "linear" in node.inputs] == ["select", "neg", "cat"]


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        (
            (*LOGISTIC, "objective.l1=0.3", "objective.l2=0.2"),
            {"x", "y", "W", "b", "z = W x + b", "p = σ(z)", "NLL", "penalty", "objective", "1 × 1"}
            | {"mean of log(1 + exp z) − y z", "0.3 ‖W‖₁ + 0.2/2 ‖W‖²"}
            | {"logistic on chd: first batch, n = 33"},
        ),
        (
            ("model=mlp", "data=digits", "model.dropout=0.3", "model.activation=sigmoid", SMOOTHED),
            {"flatten", "W x + b", "σ", "Dropout", "W h + b", "z = W h + b", "p = softmax(z)", "256 × 64"}
            | {"mean of log Σ exp z − z of class y", "y smoothed by 0.1", "l1 = l2 = 0"},
        ),
        (
            ("model=one_vs_rest", "data=digits"),
            {"mean of Σ log(1 + exp z) − z of class y", "p = σ(z) / Σ σ(z)"},
        ),
    ],
    ids=["logistic", "mlp", "one_vs_rest"],
)
def test_boxes_say_what_is_computed(make_job: MakeJob, keys: tuple[str, ...], told: set[str]) -> None:
    made = sheet(first_batch(make_job(*keys)), depth=2)
    graph, autograd = made.pictures
    assert told <= set(words(graph.svg))
    assert {"AccumulateGrad", "AddBackward0"} <= set(words(autograd.svg))
    assert made.objective == pytest.approx(made.nll + made.penalty, rel=1e-6)
    for picture in made.pictures:
        assert len({row[0] for row in picture.rows}) == len(picture.rows)


def test_the_table_says_from_what_each_node_is_made(make_job: MakeJob) -> None:
    graph, _ = sheet(first_batch(make_job(*LOGISTIC)), depth=2).pictures
    rows = {row["node"]: row for row in csv.DictReader(io.StringIO(graph.csv()))}
    assert rows["linear"]["inputs"] == "inputs linear.weight linear.bias"
    assert (rows["linear"]["module"], rows["linear"]["shape"]) == ("network.linear", "33 1")
    assert rows["linear.weight"]["values"] == rows["linear.weight"]["mean"] != ""
    assert rows["linear.weight"]["gradient_values"] != ""
    assert rows["labels"]["gradient_mean"] == ""
    assert (rows["labels"]["values"], float(rows["labels"]["mean"])) == ("", 14 / 33)


def test_many_steps_share_the_boxes_of_what_they_follow(make_job: MakeJob, monkeypatch: Any) -> None:
    monkeypatch.setattr("seedbed.model.alexnet.HIDDEN_FEATURES", 8)
    made = sheet(random_images(make_job("model=alexnet", "data.batch_size=1"), (3, 63, 63), 10), depth=2)
    graph, autograd = (words(picture.svg) for picture in made.pictures)
    assert [word for word in graph if "convolution" in word and "." not in word] == [
        "11×11 convolution, stride 4",
        "5×5 convolution, 2 groups",
        "3×3 convolution",
        "3×3 convolution, 2 groups",
        "3×3 convolution, 2 groups",
    ]
    assert graph.count("then response normalisation") == 2
    assert graph.count("then 3×3 max-pooling, stride 2") == 3
    assert autograd.count("2 × AccumulateGrad") == 8


# The paper of 2012 says 60 million parameters; torchvision's documentation of its weights says
# 61,100,840 of them and 0.71 billion multiply-adds.
@pytest.mark.parametrize(
    ("variant", "num_parameters", "num_multiply_adds"),
    [("two_groups", 60_965_224, 724_406_816), ("torchvision", 61_100_840, 714_188_480)],
)
def test_the_layers_of_alexnet(variant: str, num_parameters: int, num_multiply_adds: int) -> None:
    with torch.device("meta"):
        network = Alexnet(input_shape=(3, 224, 224), num_classes=1000, variant=variant, dropout=0.5)
        batch = Batch(
            torch.zeros(1, 3, 224, 224), torch.zeros(1, dtype=torch.int64), torch.zeros(1).long(), 1
        )
    scene = Scene("alexnet", network, Objective(), batch, None)
    capture = outlined(scene)
    found = layers(capture, 2, Words(capture, network.likelihood, scene.objective))
    assert found[-1][3:] == (num_parameters, num_multiply_adds)
    outputs = [layer.output for layer in found if "convolution" in layer.what or "W" in layer.what]
    if variant == "two_groups":
        assert outputs == [
            "96 × 55 × 55",
            "256 × 27 × 27",
            *["384 × 13 × 13"] * 2,
            "256 × 13 × 13",
            "4096",
            "4096",
            "1000",
        ]


@pytest.mark.parametrize(
    ("shape", "num_classes", "keys", "told"),
    [
        (
            (3, 8),
            10,
            (),
            "--shape: expected CHANNELS,HEIGHT,WIDTH, each 1 or more, got 3,8. Such as --shape 3,224,224.",
        ),
        ((3, 8, 0), 10, (), "--shape: expected CHANNELS,HEIGHT,WIDTH, each 1 or more, got 3,8,0."),
        ((3, 8, 8), 1, (), "--classes: expected 2 or more, got 1. Such as --classes 1000."),
        (
            (1, 8, 8),
            10,
            ("features=polynomial",),
            "features: expected null beside random images, got a map of inputs.",
        ),
        (
            (1, 8, 8),
            10,
            ("data.batch_size=null",),
            "data.batch_size: expected the number of random images, got null, which is a whole split, and"
            " there is none. Add data.batch_size=2.",
        ),
        (
            (1, 8, 8),
            10,
            ("data.batch_size=0",),
            "data.batch_size: expected the number of random images, got 0.",
        ),
    ],
)
def test_images_that_cannot_be_are_refused(
    make_job: MakeJob, shape: tuple[int, ...], num_classes: int, keys: tuple[str, ...], told: str
) -> None:
    with pytest.raises(ConfigError) as refusal:
        random_images(make_job("model=softmax", *keys), shape, num_classes)
    assert str(refusal.value).startswith(told)
