"""The lecture's fourth case: a multilayer perceptron against logistic regression in the plane.

python -m experiments.moons --out FOLDER
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from experiments.lecture import (
    Rows,
    job_of,
    options,
    predictor_of,
    store_folder,
    studied,
    write_pictures,
    write_rows,
)
from seedbed.assembly import data_of
from seedbed.picture.boundary import Plane, Points, decision_boundary
from seedbed.picture.net import layers, network
from seedbed.picture.picture import Picture
from seedbed.picture.settings import Group, distribution
from seedbed.streams import spawn
from seedbed.track.store import Store
from seedbed.verdict.compare import Comparison, compare
from seedbed.verdict.find import filtered
from seedbed.verdict.setting import Setting

METRIC = "test/accuracy"
NUM_SEEDS = 10
NUM_GRID, MARGIN = 61, 0.3
# Three inputs, four hidden units, two outputs: the lecture's own example.
LECTURE_NET = (3, 4, 2)


class Contestant(NamedTuple):
    """One model.

    Args:
        label: for people.
        experiment: its shipped settings.
        overrides: what is changed of them.
        num_parameters: weights and biases.
    """

    label: str
    experiment: str
    overrides: tuple[str, ...]
    num_parameters: int


def _size(*widths: int) -> int:
    return sum(layer.num_parameters for layer in layers(widths))


CONTESTANTS = (
    Contestant("logistic", "moons_logistic", (), _size(2, 1)),
    Contestant("mlp, 4 units", "moons_mlp", (), _size(2, 4, 2)),
    Contestant("mlp, 16 units", "moons_mlp", ("model.hidden_features=[16]",), _size(2, 16, 2)),
)


def compared(root: Path, extra: Sequence[str]) -> Comparison:
    """All of them over the same seeds, as `seedbed compare` compares them."""
    for contestant in CONTESTANTS:
        studied(root, [f"experiment={contestant.experiment}", *contestant.overrides, *extra])
    return compare(filtered(Store.open(root), ""), METRIC)


def setting_of(contestant: Contestant, told: Comparison) -> Setting:
    """The runs of one model."""
    wanted = {"model": "logistic" if contestant.experiment == "moons_logistic" else "mlp"}
    wanted |= dict(override.split("=") for override in contestant.overrides)
    size = wanted.pop("model.hidden_features", "[4]")
    return next(row for row in told.rows if _has(row, wanted, size))


def _has(row: Setting, wanted: dict[str, str], size: str) -> bool:
    params = row.runs[0].params
    same = all(params.get(key) == value for key, value in wanted.items())
    return same and params.get("model.hidden_features", size) == size


def points() -> Points:
    """The test split, in the data's own unit."""
    config = job_of(Path("unused"), ["experiment=moons_logistic", "data.standardize=false"]).config
    data = data_of(config)
    data.setup(spawn(0), dtype=torch.float64)
    loader = data.test_dataloader()
    assert loader is not None
    batches = list(loader)
    places = torch.cat([batch.inputs for batch in batches])
    labels = torch.cat([batch.labels for batch in batches])
    return Points(places[:, 0].tolist(), places[:, 1].tolist(), labels.tolist())


def plane(root: Path, contestant: Contestant, setting: Setting, told: Points) -> Plane:
    """What the first run of a model says of every place around the points."""
    xs, ys = (
        np.linspace(min(column) - MARGIN, max(column) + MARGIN, NUM_GRID).round(4)
        for column in (told.xs, told.ys)
    )
    grid = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)
    first = min(setting.runs, key=lambda run: int(run.params["seed"]))
    found = predictor_of(root, first.run_id, grid)[:, 1].reshape(NUM_GRID, NUM_GRID)
    heights = [[float(f"{value:.4g}") for value in row] for row in found.tolist()]
    label = f"{contestant.label}: {setting.description.mean:.3f}"
    return Plane(label, xs.tolist(), ys.tolist(), heights)


def pictures(root: Path, told: Comparison) -> list[Picture]:
    """The decision boundaries, every run, and the lecture's network."""
    seen = points()
    settings = [(contestant, setting_of(contestant, told)) for contestant in CONTESTANTS]
    planes = [plane(root, contestant, setting, seen) for contestant, setting in settings]
    groups = [
        Group(
            contestant.label,
            setting.values.tolist(),
            setting.description.mean,
            setting.description.low,
            setting.description.high,
        )
        for contestant, setting in settings
    ]
    return [
        decision_boundary(planes, seen, ("upper moon", "lower moon"), ("x", "y")),
        distribution(groups, "test accuracy (share)"),
        network(LECTURE_NET, ("inputs", "hidden units", "outputs")),
    ]


def rows_of(told: Comparison) -> Rows:
    """One row a model."""
    rows: list[dict[str, str | float | None]] = []
    for contestant in CONTESTANTS:
        found = setting_of(contestant, told).description
        rows.append(
            {
                "model": contestant.label,
                "num_parameters": contestant.num_parameters,
                "n": found.n,
                "test_accuracy": found.mean,
                "sd": found.deviation,
                "low": found.low,
                "high": found.high,
            }
        )
    return rows


def main(out: Path, root: Path, extra: Sequence[str]) -> None:
    """Writes results.csv, verdicts.md and figures/ into a folder."""
    told = compared(root, extra)
    write_pictures(out / "figures", pictures(root, told))
    write_rows(out / "results.csv", rows_of(told))
    (out / "verdicts.md").write_text(told.markdown())


if __name__ == "__main__":
    parser = options("moons", __doc__)
    parser.add_argument("--seeds", type=int, default=NUM_SEEDS, help="of each model")
    asked = parser.parse_args()
    with store_folder(asked.root) as folder:
        main(asked.out, folder, [f"study.num_seeds={asked.seeds}", "launch=stacked"])
