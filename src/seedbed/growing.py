"""What each process of a run does: fit, evaluate the best checkpoint, keep the model.

All ranks come through here alike, because fitting and evaluating are collective; the first alone has
the record.
"""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytorch_lightning as pl
import torch

from seedbed.assembly import Assembly, assemble, gather
from seedbed.callbacks import Bar, EpochEnd, HangWatch
from seedbed.checkpoint import BEST, Start, take_up
from seedbed.classifier import Classifier
from seedbed.data.loader import Passes
from seedbed.errors import Pruned
from seedbed.fit import report
from seedbed.harvest import evaluate_test, identify, keep, keep_trace, note
from seedbed.job import Job
from seedbed.model.sharding import put
from seedbed.pruning import Pruner, TrialWatch, Watch
from seedbed.recording import job_signature
from seedbed.saving import StepEnd, failures
from seedbed.seat import Seat
from seedbed.stopping import Stopping
from seedbed.strategy import processes
from seedbed.trace import Trace
from seedbed.track.provenance import in_force
from seedbed.track.record import Record
from seedbed.trial import JOURNAL


class Outcome(NamedTuple):
    """What a run leaves: its record, its last word on every metric, and whether a search ended it."""

    run_id: str
    name: str
    metrics: dict[str, float]
    pruned: bool = False


class Plot(NamedTuple):
    """What one process of a run has to itself.

    Args:
        job: what runs, the same on every rank.
        seat: which rank this is.
        folder: of the run, which all ranks see.
        record: the run's, on the first rank; None on the others.
        stopping: hears this process's signals.
    """

    job: Job
    seat: Seat
    folder: Path
    record: Record | None
    stopping: Stopping

    @property
    def stack(self) -> Path:
        """Where this process says what it was at when it hung."""
        return stack_of(self.folder, self.seat.rank)


def stack_of(folder: Path, rank: int) -> Path:
    """Where a rank of the run in this folder says what it was at when it hung."""
    return folder / f"stack_{rank}.txt"


class Fit(NamedTuple):
    """A fit at work, with those of its callbacks that have something to say in the end."""

    trainer: pl.Trainer
    epoch_end: EpochEnd
    step_end: StepEnd
    trace: Trace


def grow(plot: Plot, *, resumed: bool, watch: Watch | None = None) -> Outcome | None:
    """Trains, evaluates and records the job; the outcome on the first rank, None on the others.

    Args:
        plot: this process's.
        resumed: whether to go on from the run's checkpoint.
        watch: hears every epoch's validation and may end the run early; None: the search's, if any.

    Raises:
        SeedbedError: for a configuration or data that cannot work, or a run that cannot go on.
        Stopped: where a signal ended the run.
    """
    with quiet():
        assembly = assemble(plot.job.config, plot.seat)
        start = None
        if plot.record is not None:
            identify(plot.record, assembly.data)
            start = _taken_up(plot.job, plot.record) if resumed else None
            watch = watch or watch_of(plot.job)
        return _fitted(plot, assembly, plot.seat.shared(start), watch)


@contextmanager
def quiet() -> Iterator[None]:
    """Without warnings that are not about us."""
    with warnings.catch_warnings():
        # Data may be too few to hold any out; Lightning's copy of a torch function is out of date.
        warnings.filterwarnings("ignore", "You defined a `validation_step` but have no `val_dataloader`")
        warnings.filterwarnings("ignore", r"`isinstance\(treespec, LeafSpec\)` is deprecated")
        # Where a SLURM client is installed; `launch=slurm` starts its tasks itself.
        warnings.filterwarnings("ignore", "The `srun` command is available")
        # torch's Adagrad makes its sparse updates itself; nobody else's could violate anything.
        warnings.filterwarnings("ignore", "Sparse invariant checks are implicitly disabled")
        # Our loader is told where to begin, and not by Lightning.
        warnings.filterwarnings("ignore", "You're resuming from a checkpoint that ended before the epoch")
        yield


def _taken_up(job: Job, record: Record) -> Start:
    return take_up(record, job_signature(job), job.config["trainer"]["max_epochs"], job.changed)


def watch_of(job: Job) -> Watch | None:
    """What may end this run early: the pruner of the search that it belongs to; None without one."""
    study, track = job.config["study"], job.config["track"]
    if study["trial"] is None or study["pruner"] is None:
        return None
    names = ("startup_trials", "warmup_epochs", "reduction_factor")
    return TrialWatch(
        Path(track["root"]).absolute() / "runs" / track["parent_run_id"] / JOURNAL,
        track["parent_run_id"],
        trial_number=study["trial"],
        replicate=study["replicate"],
        num_seeds=study["num_seeds"],
        max_epochs=job.config["trainer"]["max_epochs"],
        metric=study["objectives"][0],
        pruner=Pruner(study["pruner"], *(study[name] for name in names)),
    )


def _fitted(plot: Plot, assembly: Assembly, start: Start | None, watch: Watch | None) -> Outcome | None:
    """Fits, and unless a search has ended that early, evaluates the best checkpoint and keeps the model."""
    fit = fit_of(plot, assembly, watch)
    loader, path = assembly.data.train_dataloader(), None
    if start is not None:
        loader.start_at(start.batch)
        path = start.path
    try:
        with plot.stopping.deferred(plot.seat.largest):
            fit.trainer.fit(
                assembly.classifier, Passes(loader), assembly.data.val_dataloader(), ckpt_path=path
            )
    except Pruned as pruned:
        plot.stopping.check(plot.seat.largest)
        return cut_off(plot, fit, pruned)
    return ripen(plot, assembly, fit)


def fit_of(plot: Plot, assembly: Assembly, watch: Watch | None, *, bar: bool = True) -> Fit:
    """A trainer with its callbacks; nothing is trained yet.

    Args:
        plot: this process's.
        assembly: the parts.
        watch: hears every epoch's validation and may end the run early.
        bar: whether to show a live line where the config wants one.
    """
    job = plot.job
    monitor = job.config["trainer"]["monitor"] if assembly.data.val_dataloader() else None
    epoch_end = EpochEnd(plot.record, plot.folder, monitor, signature=job_signature(job), watch=watch)
    every_steps = job.config["trainer"]["checkpoint_every_steps"]
    step_end = StepEnd(plot.record, plot.folder, plot.stopping, every_steps)
    trace = Trace()
    callbacks: list[pl.Callback] = [trace, epoch_end, step_end]
    if bar and job.config["trainer"]["progress_bar"] and plot.seat.first:
        callbacks.append(Bar(job.name, assembly.classifier.num_steps))
    return Fit(_trainer(plot, callbacks, assembly), epoch_end, step_end, trace)


def cut_off(plot: Plot, fit: Fit, pruned: Pruned) -> Outcome | None:
    """What is said of a run that a search has ended: its metrics so far, no model."""
    job, record = plot.job, plot.record
    if record is None:
        return None
    metrics = _spent(fit.epoch_end) | fit.epoch_end.best()
    record.log_metrics(metrics, step=pruned.epoch)
    record.deliver()
    told = f"epoch {pruned.epoch} of {job.config['trainer']['max_epochs']}: {pruned.why}"
    record.set_tags({"seedbed.pruned": told})
    record.log_json(in_force(), "provenance/in_force.json")
    keep_trace(record, fit.trace, None, fit.epoch_end.best_metrics | metrics)
    record.set_note(note(job, fit.epoch_end.best_metrics | metrics, [f"Pruned at {told}"]))
    return Outcome(record.run_id, job.name, fit.epoch_end.best_metrics | metrics, pruned=True)


def ripen(plot: Plot, assembly: Assembly, fit: Fit) -> Outcome | None:
    """Evaluates the best checkpoint, keeps it and the model, and says what was found."""
    job, record = plot.job, plot.record
    metrics = _spent(fit.epoch_end) | fit.epoch_end.best()
    plot.seat.shared(None)  # nobody reads the best checkpoint before it is written
    restore(assembly.classifier, plot.folder / BEST)
    logits_digest = None
    if job.config["evaluate_test"]:
        tested, logits_digest = evaluate_test(fit.trainer, assembly, record)
        metrics |= tested
    gather(job.config, assembly)
    if record is None:
        return None
    record.log_json(in_force(), "provenance/in_force.json")
    found = report(job.config, assembly.classifier.network, assembly.data)
    metrics |= found.metrics
    record.set_tags(found.tags)
    for path, text in found.files.items():
        record.log_text(text, path)
    record.log_metrics(metrics, step=job.config["trainer"]["max_epochs"])
    record.deliver()
    keep_trace(record, fit.trace, logits_digest, fit.epoch_end.best_metrics | metrics)
    texts = [text for path, text in found.files.items() if path.endswith(".txt")]
    record.set_note(note(job, fit.epoch_end.best_metrics | metrics, [*texts, *failures(record)]))
    keep(job, assembly, record)
    return Outcome(record.run_id, job.name, fit.epoch_end.best_metrics | metrics)


def _spent(epoch_end: EpochEnd) -> dict[str, float]:
    return {f"fit/{name}_seconds": seconds for name, seconds in epoch_end.seconds().items()}


def _trainer(plot: Plot, callbacks: list[pl.Callback], assembly: Assembly) -> pl.Trainer:
    config = plot.job.config["trainer"]
    # Lightning's advice on workers, tips and devices is not about our loaders.
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    if not plot.seat.alone:
        callbacks = [*callbacks, HangWatch(plot.stack, config["timeout_minutes"] * 60)]
    return pl.Trainer(
        max_epochs=config["max_epochs"],
        deterministic=config["deterministic"],
        callbacks=callbacks,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,  # our loaders shard themselves, without padding
        num_sanity_val_steps=0,
        default_root_dir=plot.folder,
        **processes(config, assembly.device),
    )


def restore(classifier: Classifier, path: Path) -> None:
    """Puts a checkpoint's weights, and nothing else of it, into the network."""
    state = torch.load(path, map_location=classifier.device, weights_only=True)["state_dict"]
    prefix = "network."
    put(
        classifier.network,
        {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)},
    )
