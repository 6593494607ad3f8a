"""What is computed, drawn: `seedbed graph`."""

import shlex
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from seedbed.errors import ConfigError

if TYPE_CHECKING:
    from seedbed.graph.layers import Layer
    from seedbed.graph.scene import Scene
    from seedbed.job import Job

# What is taken where nothing is said of the data: what comes installed, then images drawn at random.
EMBEDDED = ("digits", "chd")
IMAGES = (((3, 32, 32), 10), ((3, 224, 224), 1000))
NUM_CLASSES = 10
# Random images, unless data.batch_size says how many.
FEW = "data.batch_size=2"


@click.command()
@click.argument("overrides", metavar="[KEY=VALUE]...", nargs=-1)
@click.option("--out", default="graph", show_default=True, help="Folder for the figures and tables.")
@click.option(
    "--depth",
    default=2,
    show_default=True,
    type=click.IntRange(min=1),
    help="Levels of modules that are opened.",
)
@click.option("--table", is_flag=True, help="Print the table of layers; compute and write nothing.")
@click.option("--shape", metavar="CHANNELS,HEIGHT,WIDTH", help="Random images of this size instead of data.")
@click.option("--classes", type=int, help=f"Classes of the random images.  [default: {NUM_CLASSES}]")
def graph(
    overrides: tuple[str, ...], out: str, depth: int, table: bool, shape: str | None, classes: int | None
) -> None:
    """Draw what a model computes for its first batch, and the gradients, before the first step.

    KEY=VALUE as for `seedbed train`; of them the seed, data, features, model, objective and
    trainer.precision count. Without data=NAME, the first of digits, chd and random images that the
    model takes.

    Written are graph.svg, the computation, and autograd.svg, what autograd linked, each with its table,
    and layers.csv: shape, parameters and multiply-adds of each layer.
    """
    size = _size(shape, classes)
    scene = _scene(overrides) if size is None else _images(overrides, *size)

    from seedbed.graph.sheet import layer_table, sheet, write

    click.echo(f"{scene.name}, n = {scene.batch.num_examples}")
    if table:
        _print(layer_table(scene, depth))
        return
    made = sheet(scene, depth)
    page = write(made, Path(out))
    _print(made.layers)
    click.echo(f"objective {made.objective:.6g} = NLL {made.nll:.6g} + penalty {made.penalty:.6g}")
    click.echo(f"Open {page}; beside it are autograd.svg, and all numbers as .csv")


def _size(shape: str | None, classes: int | None) -> tuple[tuple[int, ...], int] | None:
    """Shape and classes of random images; None: they are not asked for."""
    if shape is None:
        if classes is None:
            return None
        do = "Add --shape 3,224,224, or leave it out: data know their classes."
        raise ConfigError("--classes", expected="--shape beside it", got=str(classes), do=do)
    try:
        sizes = tuple(int(word) for word in shape.split(","))
    except ValueError as error:
        do = "Such as --shape 3,224,224."
        raise ConfigError("--shape", expected="CHANNELS,HEIGHT,WIDTH", got=repr(shape), do=do) from error
    return sizes, NUM_CLASSES if classes is None else classes


def _scene(overrides: Sequence[str]) -> "Scene":
    """The first batch of the data that was named, else of the first that the model takes."""
    job = _job(overrides)

    from seedbed.graph.scene import first_batch

    if _names_data(overrides):
        return first_batch(job)
    tries: list[Callable[[], Scene]] = [
        *(partial(lambda data: first_batch(_job([f"data={data}", *overrides])), data) for data in EMBEDDED),
        *(partial(_images, overrides, *size) for size in IMAGES),
    ]
    refusals = []
    for attempt in tries:
        try:
            return attempt()
        except ConfigError as refusal:
            refusals.append(refusal)
    raise refusals[0]


def _images(overrides: Sequence[str], shape: Sequence[int], num_classes: int) -> "Scene":
    """Random images, which no data stand beside."""
    if _names_data(overrides):
        raise ConfigError(
            "--shape",
            expected="no data or experiment beside it",
            got=" ".join(overrides),
            do="Leave one of them out.",
        )
    job = _job([FEW, *overrides])

    from seedbed.graph.scene import random_images

    return random_images(job, shape, num_classes)


def _names_data(overrides: Sequence[str]) -> bool:
    return any(word.lstrip("+").partition("=")[0] in ("data", "experiment") for word in overrides)


def _job(overrides: Sequence[str]) -> "Job":
    from seedbed.composing import composed

    return composed(overrides, shlex.join(["seedbed", "graph", *overrides]))


def _print(layers: "Sequence[Layer]") -> None:
    """The layers as a table, the sum below a line."""
    from shutil import get_terminal_size

    from rich.console import Console
    from rich.table import Table

    from seedbed.graph.layers import HEAD

    table = Table()
    for name in HEAD:
        table.add_column(name, justify="right" if name in HEAD[3:] else "left")
    for number, layer in enumerate(layers, 1):
        counts = (f"{count:,}" for count in layer[3:])
        table.add_row(*layer[:3], *counts, end_section=number == len(layers) - 1)
    width = max(get_terminal_size(fallback=(100, 24)).columns, 60)
    Console(width=width, markup=False, highlight=False).print(table)
