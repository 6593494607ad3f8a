"""What trains: one run or a study, a run that goes on, a machine that lends its devices."""

import os
import shlex
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seedbed.errors import SeedbedError
from seedbed.terminal import counted

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from seedbed.track.store import Store

HEADLINES = ("test/accuracy", "best_val/accuracy", "train/accuracy")
# Of one request for what pictures are drawn from, to a store that may be away just then.
DRAWING_REQUEST_SECONDS = 30.0
HYDRA = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}


@click.command(context_settings=HYDRA, add_help_option=False)
@click.option("--plan", is_flag=True)
@click.argument("overrides", nargs=-1, type=click.UNPROCESSED)
def train(plan: bool, overrides: tuple[str, ...]) -> None:
    """Train one run, or with -m a study of several."""
    if {"--help", "-h"} & set(overrides):
        from seedbed.manual import train_help

        click.echo(train_help())
        return
    _hydra(list(overrides), plan)


def _hydra(overrides: list[str], plan: bool) -> None:
    """Hands the overrides to Hydra, which composes the config and calls `_job`, or with -m the study."""
    import hydra
    from hydra._internal.hydra import Hydra
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    from seedbed import config
    from seedbed.manual import explain
    from seedbed.study import sweep

    config.register()
    sweep.register()
    sweep.StudySweeper.plans_only = plan
    sweep.StudySweeper.then = _draw
    if not any(override.startswith("hydra.mode=") for override in overrides):
        # Hydra would compose the whole config once more to see whether it says so; ours does not.
        Hydra.get_mode = _no_mode  # type: ignore[method-assign]
    # Hydra would otherwise print its own trace and exit; the errors are ours to tell.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    # Threads that spin while they wait take three times the CPU on a machine that is shared.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    sys.argv = [sys.argv[0], *overrides]
    command = shlex.join(["seedbed", "train", *overrides])  # a launcher's process has another argv
    errors: list[SeedbedError | OmegaConfBaseException] = []

    def job(composed: "DictConfig") -> Any:
        # Hydra would print a line of its own first.
        try:
            _job(composed, command, plan)
        except (SeedbedError, OmegaConfBaseException) as error:
            errors.append(error)

    try:
        hydra.main(version_base="1.3", config_path=str(config.folder()), config_name="train")(job)()
        if errors:
            raise errors[0]
    except (HydraException, OmegaConfBaseException) as error:
        raise explain(error, overrides) from error


def _draw(store: "Store", study_id: str) -> None:
    """Keeps a study's pictures on its run; one that fails, or all of them, are told and cost nothing else."""
    from seedbed.report.pictures import FOLDER, keep
    from seedbed.track.away import brief

    try:
        with brief(DRAWING_REQUEST_SECONDS):
            number, failed = keep(store, study_id)
    except Exception as error:  # noqa: BLE001 - the study has ended, and `seedbed picture` draws them again
        number, failed = 0, [f"The study's pictures are left out: {type(error).__name__}: {error}"]
    if number:
        click.echo(f"{counted(number, 'picture')}, with their numbers, on its run under {FOLDER}/")
    for sentence in failed:
        click.echo(sentence, err=True)


def _no_mode(*_: Any, **__: Any) -> None:
    """The answer of `Hydra.get_mode` where nobody chose one: -m decides."""


def _job(composed: "DictConfig", command: str, plan: bool) -> None:
    """What Hydra calls for a run of its own: resolves it, checks it, has it made."""
    from hydra.core.hydra_config import HydraConfig
    from omegaconf import OmegaConf

    from seedbed.cli.picturing import after_training
    from seedbed.composing import check_alone, from_hydra
    from seedbed.launch.launcher import launcher_of
    from seedbed.manual import ui_command
    from seedbed.stopping import Stopping

    state = HydraConfig.get()
    job = from_hydra(composed, state, command)
    check_alone(list(state.overrides.task))
    root = job.config["track"]["root"]
    launcher = launcher_of(job.choices["launch"], job.config["launch"])
    if plan:
        launcher.check(job)
        click.echo(f"One run, {job.name}, as follows; the same command without --plan makes it.")
        click.echo(OmegaConf.to_yaml(composed).rstrip())
        return
    with Stopping().listening():
        launcher.check(job)
        (ended,) = launcher.launch([job], Path(root), hear=_teller())
    if ended.error is not None:
        raise ended.error
    assert ended.outcome is not None
    after_training(job.config["track"], ended.outcome["run_id"])
    click.echo(_headlines(ended.outcome["name"], ended.outcome["metrics"]))
    if not job.config["evaluate_test"]:
        click.echo("The test split is unread; evaluate_test=true reads it once, when all choices are made.")
    click.echo(f"Run {ended.outcome['run_id']} is on record. Look at it: {ui_command(root)}")


def _teller() -> Callable[[str], None]:
    """Prints where a job is that this process waits for, as often as that changes; on a terminal alone."""
    last = ""

    def tell(told: str) -> None:
        nonlocal last
        if told != last and sys.stderr.isatty():
            click.echo(told, err=True)
        last = told

    return tell


@click.command()
@click.argument("run")
@click.argument("overrides", metavar="[KEY=VALUE]...", nargs=-1)
@click.option("--root", default="mlruns", show_default=True, help="Folder of the record store.")
def resume(run: str, overrides: tuple[str, ...], root: str) -> None:
    """Let a RUN that was cut off go on in its own record, from its last checkpoint.

    RUN is its id, the beginning of one, its name, or `last`. A study goes on by its own command.

    KEY=VALUE changes what cannot move the result, such as trainer.devices or data.num_workers.
    """
    store, run_id = _cut_off(Path(root), run)

    from seedbed.cli.picturing import after_training
    from seedbed.recording import job_of
    from seedbed.resuming import under

    job = under(job_of(store, run_id), overrides)

    from seedbed.train import run as train_run

    outcome = train_run(job, run_id)
    after_training(job.config["track"], outcome.run_id)
    click.echo(_headlines(outcome.name, outcome.metrics))
    click.echo(f"Run {run_id} is on record, as if it had not been cut off.")


def _cut_off(root: Path, run: str) -> "tuple[Store, str]":
    """The store, and the id of the run that is meant; of a store that is away, one whose folder is here."""
    from seedbed.errors import AwayError
    from seedbed.track.record import Record
    from seedbed.track.store import Store
    from seedbed.verdict.find import find, opened

    try:
        store = opened(root)
    except AwayError:
        store = Store.open(root, may_be_away=True)
        if not (store.root / "runs" / run).is_dir():
            raise
        _check_alone(run, run, Record(store, run).tags())
        return store, run
    found = find(store, run)
    _check_alone(found.name, found.run_id, found.tags)
    return store, found.run_id


def _check_alone(name: str, run_id: str, tags: Mapping[str, str]) -> None:
    """Refuses a study and its runs: what is missing of them, their own command knows."""
    from seedbed.errors import StoreError

    is_study = tags.get("seedbed.kind") == "study"
    if is_study or "mlflow.parentRunId" in tags:
        raise StoreError(
            f"run {name} ({run_id})",
            expected="a run of its own",
            got="a study" if is_study else "a run of a study",
            do=f"The same command again goes on with what is missing: {tags.get('seedbed.command', '')}",
        )


def _headlines(name: str, metrics: Mapping[str, float]) -> str:
    return f"{name}: " + ", ".join(f"{key} {metrics[key]:.4f}" for key in HEADLINES if key in metrics)


@click.command()
@click.argument("rendezvous", metavar="HOST:PORT")
def join(rendezvous: str) -> None:
    """Lend this machine's devices to a run of several machines that waits at HOST:PORT.

    The run is started on one machine with trainer.num_nodes and trainer.rendezvous; the others join.
    """
    from seedbed.ranks.group import join as lend

    lend(rendezvous)
    click.echo(f"The run at {rendezvous} has ended; its record says how.")
