"""The plane: what is drawn is the test split and the fitted model, and every parameter is counted."""

import csv
from pathlib import Path

import numpy as np
import pytest
import torch

from experiments.lecture import predictor_of, trained
from experiments.moons.__main__ import CONTESTANTS, LECTURE_NET, main, points
from seedbed.model.linear import Logistic
from seedbed.model.mlp import Mlp
from seedbed.model.network import Network
from seedbed.picture.net import layers, network
from tests.data.tiny import STREAMS, moons


def num_parameters(made: Network) -> int:
    return sum(parameter.numel() for parameter in made.parameters())


def mlp(inputs: int, hidden: int) -> Network:
    return Mlp(input_shape=(inputs,), num_classes=2, hidden_features=[hidden], activation="tanh", dropout=0.0)


def test_the_lectures_network_has_26_parameters_drawn_one_by_one() -> None:
    assert num_parameters(mlp(3, 4)) == 26 == sum(layer.num_parameters for layer in layers(LECTURE_NET))
    picture = network(LECTURE_NET, ("inputs", "hidden units", "outputs"))
    assert picture.title == "A network of 26 parameters"
    assert list(picture.rows) == [[3, 4, 12, 4, 16], [4, 2, 8, 2, 10]]
    # A line a parameter: 3 x 4 + 4 x 2 weights, and 4 + 2 biases.
    assert picture.svg.count('<g id="network-line2d_') - 2 == 26  # two squares are markers


def test_the_contestants_sizes_are_their_networks() -> None:
    logistic, small, large = (contestant.num_parameters for contestant in CONTESTANTS)
    assert logistic == num_parameters(Logistic(input_shape=(2,), num_classes=2)) == 3
    assert small == num_parameters(mlp(2, 4)) == 22
    assert large == num_parameters(mlp(2, 16)) == 82


def test_the_points_drawn_are_the_test_split_in_its_own_unit() -> None:
    seen, data = points(), moons(test_fraction=0.5, standardize=False)
    data.setup(STREAMS, dtype=torch.float64)
    loader = data.test_dataloader()
    assert loader is not None
    batches = list(loader)
    assert seen.xs == torch.cat([batch.inputs[:, 0] for batch in batches]).tolist()
    assert seen.classes == torch.cat([batch.labels for batch in batches]).tolist()
    assert len(seen.xs) == 500


def test_a_plane_shows_what_the_recorded_model_says(tmp_path: Path) -> None:
    outcome = trained(tmp_path, ["experiment=moons_logistic", "trainer.max_epochs=2"])
    seen = points()
    p = predictor_of(tmp_path, outcome.run_id, np.column_stack([seen.xs, seen.ys]))
    right = (p.argmax(axis=1) == seen.classes).mean()
    assert right == pytest.approx(outcome.metrics["test/accuracy"], abs=1e-9)


@pytest.mark.slow
def test_the_whole_experiment_with_two_short_seeds(tmp_path: Path) -> None:
    main(tmp_path, tmp_path / "mlruns", ["study.num_seeds=2", "trainer.max_epochs=2"])
    with (tmp_path / "results.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["model"], row["n"]) for row in rows] == [
        ("logistic", "2"),
        ("mlp, 4 units", "2"),
        ("mlp, 16 units", "2"),
    ]
    assert {path.name for path in (tmp_path / "figures").glob("*.svg")} == {
        "decision_boundary.svg",
        "distribution.svg",
        "network.svg",
    }
