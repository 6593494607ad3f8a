"""What a recorded model is for: predicting, tests on other data, files for other programs, a registry."""

import shlex
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from seedbed.errors import DataError

ROOT = click.option("--root", default="mlruns", show_default=True, help="Folder of the record store.")
CALIBRATED = click.option(
    "--calibrated", is_flag=True, help="Divide logits by the temperature that `seedbed calibrate` found."
)
FORMATS, SPLITS = ("onnx", "torchscript", "pt2"), ("test", "val", "train")
HEADLINES = ("accuracy", "loss", "calibration_error")


def _found(run: str, root: str) -> Any:
    """The open store, and the run that is meant in it."""
    from seedbed.verdict.find import find, opened

    store = opened(Path(root))
    return store, find(store, run)


@click.command()
@click.argument("run")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option("--out", metavar="FILE", help="Write the lines there; left out: on standard output.")
@click.option("--top", metavar="K", type=int, help="Only the K most probable classes; default: all.")
@CALIBRATED
@ROOT
def predict(
    run: str, paths: tuple[str, ...], out: str | None, top: int | None, calibrated: bool, root: str
) -> None:
    """Give the class probabilities of images, or of the rows of a CSV file, by the model of a RUN.

    RUN is its id, the beginning of one, its name, or `last`; PATH is a file or a folder, searched to any
    depth. Each input becomes one line of CSV: path, predicted, then p_CLASS of every class.

    Inputs are read as in training, with the preprocessing of the run. Images of data=image_folder are
    resized and cropped as then; all others must have the size and colours of the run's data (a grey
    model takes a colour file whose channels agree). A table's columns are found by their names. What
    does not fit, or cannot be read, is named and left out, and the rest goes on.

    \b
      seedbed predict last photos/ --out predictions.csv
      seedbed predict last one.png two.jpg --top 3
      seedbed predict 1a2b3c4d patients.csv

    Exit codes: 0 all predicted; 1 some left out; 2 refused before it began.
    """  # noqa: D301 (click's mark of a paragraph kept as it is)
    from seedbed.terminal import counted
    from seedbed.use.inputs import Inputs
    from seedbed.use.predicting import predict as write
    from seedbed.use.predicting import written
    from seedbed.use.trained import trained

    with ExitStack() as stack:
        model = stack.enter_context(trained(*_found(run, root), calibrated=calibrated))
        inputs = Inputs(model, [Path(path) for path in paths])
        file = stack.enter_context(written(Path(out))) if out else sys.stdout
        tally = write(model.predictor, inputs, file, _left_out, top=top)
    told = [f"{counted(tally.num_predicted, 'input')} predicted by {model.name}"]
    told += [f"{tally.num_left_out} left out, named above"] if tally.num_left_out else []
    if inputs.num_passed_over:
        told.append(f"{counted(inputs.num_passed_over, 'file')} of other kinds passed over")
    click.echo("; ".join(told) + (f". Look at {out}" if out else "."), err=True)
    sys.exit(1 if tally.num_left_out else 0)


def _left_out(error: "DataError") -> None:
    click.echo(f"left out: {error}", err=True)


@click.command(name="test")
@click.argument("run")
@click.argument("overrides", metavar="[KEY=VALUE]...", nargs=-1)
@click.option(
    "--split", default="test", show_default=True, type=click.Choice(SPLITS), help="What is evaluated."
)
@ROOT
def test_verb(run: str, overrides: tuple[str, ...], split: str, root: str) -> None:
    """Evaluate the model of a RUN on a split of its own data, or of other data, as a run under it.

    RUN is its id, the beginning of one, its name, or `last`. Without KEY=VALUE the data are the run's
    own, checked by their digests; data=OPTION with its keys names another set, data.KEY=VALUE changes
    the run's. Classes, shape and scale must be the run's, and so is the preprocessing, never fitted anew.

    A read of the run's own test split is counted on the run (seedbed.num_test_reads): a model that was
    chosen by what it showed there says little about new data.

    \b
      seedbed test last
      seedbed test last --split val
      seedbed test last data=image_folder data.root=OTHER_FOLDER
    """  # noqa: D301
    from seedbed.manual import ui_command
    from seedbed.terminal import counted
    from seedbed.use.testing import examine
    from seedbed.use.trained import trained

    with trained(*_found(run, root)) as model:
        found = examine(model, split, overrides, shlex.join(["seedbed", *sys.argv[1:]]))
    values = [
        f"{split}/{name} {found.metrics[f'{split}/{name}']:.4f}"
        for name in HEADLINES
        if f"{split}/{name}" in found.metrics
    ]
    click.echo(f"{found.name}: {', '.join(values)} (n = {counted(found.num_examples, 'example')})")
    if found.num_reads is not None:
        click.echo(f"The run's test split has been read {counted(found.num_reads, 'time')} by now.")
    click.echo(f"Run {found.run_id} is on record under {model.run_id[:8]}. Look at it: {ui_command(root)}")


@click.command()
@click.argument("run")
@ROOT
def calibrate(run: str, root: str) -> None:
    """Fit a temperature to the model of a RUN, so that what it says with 80 % comes true 8 times in 10.

    RUN is its id, the beginning of one, its name, or `last`. Logits are divided by one number, fitted by
    maximum likelihood on the validation split (Guo et al. 2017); predictions stay what they are, only
    their probabilities move. The test split is not read: if the run has read it, its stored logits show
    what the temperature does to new data. The result is kept with the run, as artifacts calibration/.
    """
    from seedbed.manual import command_line
    from seedbed.use.calibrating import calibrate as fit
    from seedbed.use.calibrating import in_words
    from seedbed.use.trained import trained

    with trained(*_found(run, root)) as model:
        found = fit(model)
    click.echo(in_words(model.name, found))
    click.echo(f"Next: {command_line('predict', f'{model.run_id[:8]} PATH... --calibrated', root)}")


@click.command()
@click.argument("run")
@click.option(
    "--format", "kind", required=True, type=click.Choice(FORMATS), help="What other programs shall run."
)
@click.option("--out", metavar="FILE", help="A file that is not there yet; default: model.ENDING, here.")
@CALIBRATED
@ROOT
def export(run: str, kind: str, out: str | None, calibrated: bool, root: str) -> None:
    """Write the model of a RUN as one file that other programs run: raw inputs in, probabilities out.

    RUN is its id, the beginning of one, its name, or `last`. The preprocessing is inside: images are
    given as uint8 pixels (number, channel, height, width), tables as float64 rows, any number at once.

    The file is run on 100 inputs against the model itself before it is kept: those that the record
    keeps, and others drawn at random in the range of the data. If a probability differs, nothing is
    written. onnx needs: pip install 'seedbed[export]'. torchscript is deprecated by torch.

    \b
      seedbed export last --format onnx --out digits.onnx
    """  # noqa: D301
    from seedbed.use.exporting import export as write
    from seedbed.use.formats import example_of_use
    from seedbed.use.trained import trained

    with trained(*_found(run, root), calibrated=calibrated) as model:
        done = write(model, kind, Path(out) if out else None)
    click.echo(
        f"{model.name} is in {done.file} ({done.num_bytes} bytes). Run on {done.num_stored} stored and "
        f"{done.num_drawn} random inputs it differs from the model by at most {done.difference:.1e}."
    )
    click.echo(f"Next: {example_of_use(kind, done.file)}")


@click.command()
@click.argument("run")
@click.option("--name", required=True, help="Of the registered model; a new version, if it is there.")
@click.option("--alias", help="A name for this version, such as champion; moved if another has it.")
@CALIBRATED
@ROOT
def register(run: str, name: str, alias: str | None, calibrated: bool, root: str) -> None:
    """Put the model of a RUN into MLflow's registry, to be loaded by name or served over HTTP.

    RUN is its id, the beginning of one, its name, or `last`. A server of it takes raw inputs as nested
    lists, and, of a model of images, image files in base64; both as {"inputs": [...]}.

    \b
      seedbed register last --name digits --alias champion
    """  # noqa: D301
    from seedbed.track.telling import shown
    from seedbed.use.registering import how_to_serve
    from seedbed.use.registering import register as enter
    from seedbed.use.trained import trained

    store, found = _found(run, root)
    with trained(store, found, calibrated=calibrated) as model:
        done = enter(model, name, alias)
    click.echo(f"{model.name} is version {done.version} of {done.name}: {done.uri}")
    click.echo(how_to_serve(done, shlex.quote(shown(store.uri))))
