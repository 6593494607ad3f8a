"""All that is made of a scene: two pictures, a table of layers, and what the objective came to."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from seedbed.errors import ConfigError
from seedbed.graph.backward import backward
from seedbed.graph.capture import captured, outlined
from seedbed.graph.folding import folded, joined
from seedbed.graph.forward import forward
from seedbed.graph.layers import HEAD, Layer, layers
from seedbed.graph.scene import Scene
from seedbed.graph.words import Words
from seedbed.picture.picture import Picture


class Sheet(NamedTuple):
    """A computation, drawn.

    Args:
        pictures: the computation, and what autograd linked.
        layers: of the network.
        objective: NLL + penalty.
        nll: mean over the batch, in nats.
        penalty: on the weights.
    """

    pictures: tuple[Picture, Picture]
    layers: list[Layer]
    objective: float
    nll: float
    penalty: float


def sheet(scene: Scene, depth: int) -> Sheet:
    """Computes the batch, with gradients, and draws that.

    Args:
        scene: what is drawn.
        depth: levels of modules that are opened, 1 or more.
    """
    capture = captured(scene)
    words = Words(capture, scene.network.likelihood, scene.objective)
    groups = joined(folded(capture, depth))
    head = f"{scene.name}: first batch, n = {scene.batch.num_examples}"
    pictures = forward(capture, groups, words, head), backward(capture, groups, words, head)
    values = {node.name: float(node.value.detach()) for node in capture.nodes if node.value.ndim == 0}
    (last,) = (node for node in capture.nodes if node.name == capture.objective)
    nll, penalty = (values[name] for name in last.inputs)
    return Sheet(pictures, layers(capture, depth, words), values[last.name], nll, penalty)


def layer_table(scene: Scene, depth: int) -> list[Layer]:
    """The layers alone; nothing is computed.

    Args:
        scene: whose network is counted.
        depth: levels of modules that are opened, 1 or more.
    """
    capture = outlined(scene)
    return layers(capture, depth, Words(capture, scene.network.likelihood, scene.objective))


def write(made: Sheet, folder: Path) -> Path:
    """Writes the pictures, their tables and that of the layers; the path of the first picture.

    Args:
        made: what is written.
        folder: made where it is not there.

    Raises:
        ConfigError: for a folder that cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for picture in made.pictures:
            (folder / f"{picture.name}.svg").write_text(picture.svg)
            (folder / f"{picture.name}.csv").write_text(picture.csv())
        (folder / "layers.csv").write_text(layers_csv(made.layers))
    except OSError as error:
        raise ConfigError(
            f"--out {folder}",
            expected="a folder that can be written",
            got=str(error.strerror or error),
            do="Choose another one.",
        ) from error
    return folder / f"{made.pictures[0].name}.svg"


def layers_csv(found: Sequence[Layer]) -> str:
    """The layers as comma-separated values, the sum as the last."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEAD)
    writer.writerows(found)
    return out.getvalue()
