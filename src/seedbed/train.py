"""One run, from a job to a closed record."""

import logging
import warnings
from pathlib import Path
from typing import NamedTuple

import pytorch_lightning as pl
import torch
from lightning_fabric.plugins.environments import LightningEnvironment

from seedbed.assembly import Assembly, assemble
from seedbed.callbacks import Bar, EpochEnd, StopAtStep
from seedbed.checkpoint import BEST, Start, take_up
from seedbed.classifier import Classifier
from seedbed.errors import Pruned
from seedbed.fit import report
from seedbed.harvest import evaluate_test, identify, keep, let_go, note
from seedbed.job import Job
from seedbed.optim.sense import check
from seedbed.pruning import Pruner, TrialWatch, Watch
from seedbed.recording import job_signature, recorded
from seedbed.stopping import Stopping
from seedbed.track.provenance import in_force
from seedbed.track.record import Record
from seedbed.trial import JOURNAL


class Outcome(NamedTuple):
    """What a run leaves: its record, its last word on every metric, and whether a search ended it."""

    run_id: str
    name: str
    metrics: dict[str, float]
    pruned: bool = False


def run(job: Job, run_id: str | None = None, watch: Watch | None = None) -> Outcome:
    """Trains, evaluates and records one job.

    Args:
        job: what to run.
        run_id: MLflow run that was cut off, to go on in; None: a new one. What comes out is, to the
            last bit, what an undisturbed run would have given.
        watch: hears every epoch's validation and may end the run early.

    Raises:
        SeedbedError: for a configuration, data or store that cannot work, or a run that cannot go on.
        Stopped: where a signal ended the run; its record is KILLED.
    """
    check(job.config)
    stopping = Stopping()
    with stopping.listening(), recorded(job, run_id) as record, warnings.catch_warnings():
        # Data may be too few to hold any out; Lightning's copy of a torch function is out of date.
        warnings.filterwarnings("ignore", "You defined a `validation_step` but have no `val_dataloader`")
        warnings.filterwarnings("ignore", r"`isinstance\(treespec, LeafSpec\)` is deprecated")
        assembly = assemble(job.config)
        identify(record, assembly.data)
        start = take_up(record, job_signature(job), job.config["trainer"]["max_epochs"]) if run_id else None
        outcome = _grow(job, assembly, record, stopping, watch, start)
        record.finish("KILLED" if outcome.pruned else "FINISHED")
    if not outcome.pruned:
        let_go(record)
    return outcome


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


def _grow(
    job: Job,
    assembly: Assembly,
    record: Record,
    stopping: Stopping,
    watch: Watch | None,
    start: Start | None,
) -> Outcome:
    """Fits, and unless a search has ended that early, evaluates the best checkpoint and keeps the model."""
    val_loader = assembly.data.val_dataloader()
    monitor = job.config["trainer"]["monitor"] if val_loader else None
    epoch_end = EpochEnd(record, record.folder, monitor, signature=job_signature(job), watch=watch)
    trainer = _trainer(job, record, [epoch_end, StopAtStep(stopping)], assembly)
    loader, path = assembly.data.train_dataloader(), None
    if start is not None:
        # Lightning begins the first pass before it reads in the checkpoint which epoch it is.
        loader.sampler.set_epoch(start.epoch)
        path = start.path
    try:
        with stopping.deferred():
            trainer.fit(assembly.classifier, loader, val_loader, ckpt_path=path)
    except Pruned as pruned:
        stopping.check()
        return _cut_off(job, record, epoch_end, pruned)
    return _ripen(job, assembly, record, epoch_end, trainer)


def _cut_off(job: Job, record: Record, epoch_end: EpochEnd, pruned: Pruned) -> Outcome:
    """What is said of a run that a search has ended: its metrics so far, no model."""
    metrics = _spent(epoch_end) | epoch_end.best()
    record.log_metrics(metrics, step=pruned.epoch)
    record.deliver()
    told = f"epoch {pruned.epoch} of {job.config['trainer']['max_epochs']}: {pruned.why}"
    record.set_tags({"seedbed.pruned": told})
    record.log_json(in_force(), "provenance/in_force.json")
    record.set_note(note(job, epoch_end.best_metrics | metrics, [f"Pruned at {told}"]))
    return Outcome(record.run_id, job.name, epoch_end.best_metrics | metrics, pruned=True)


def _ripen(job: Job, assembly: Assembly, record: Record, epoch_end: EpochEnd, trainer: pl.Trainer) -> Outcome:
    """Evaluates the best checkpoint, keeps it and the model, and says what was found."""
    classifier = assembly.classifier
    metrics = _spent(epoch_end)
    record.log_json(in_force(), "provenance/in_force.json")
    _restore(classifier, record.folder / BEST)
    metrics |= epoch_end.best()
    if job.config["evaluate_test"]:
        metrics |= evaluate_test(trainer, assembly, record)
    found = report(job.config, classifier.network, assembly.data)
    metrics |= found.metrics
    record.set_tags(found.tags)
    for path, text in found.files.items():
        record.log_text(text, path)
    record.log_metrics(metrics, step=job.config["trainer"]["max_epochs"])
    record.deliver()
    texts = [text for path, text in found.files.items() if path.endswith(".txt")]
    record.set_note(note(job, epoch_end.best_metrics | metrics, texts))
    keep(job, assembly, record)
    return Outcome(record.run_id, job.name, epoch_end.best_metrics | metrics)


def _spent(epoch_end: EpochEnd) -> dict[str, float]:
    return {f"fit/{name}_seconds": seconds for name, seconds in epoch_end.seconds().items()}


def _trainer(job: Job, record: Record, callbacks: list[pl.Callback], assembly: Assembly) -> pl.Trainer:
    config = job.config["trainer"]
    # Lightning's advice on workers, tips and devices is not about our loaders.
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    if config["progress_bar"]:
        callbacks = [*callbacks, Bar(job.name, assembly.classifier.num_steps)]
    return pl.Trainer(
        accelerator="gpu" if assembly.device.type == "cuda" else "cpu",
        devices=1,
        precision=config["precision"],
        max_epochs=config["max_epochs"],
        deterministic=config["deterministic"],
        callbacks=callbacks,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,  # our loaders shard themselves, without padding
        num_sanity_val_steps=0,
        plugins=[LightningEnvironment()],  # else a SLURM shell makes Lightning wait for other ranks
        default_root_dir=record.folder,
    )


def _restore(classifier: Classifier, path: Path) -> None:
    """Puts a checkpoint's weights, and nothing else of it, into the network."""
    state = torch.load(path, map_location=classifier.device, weights_only=True)["state_dict"]
    prefix = "network."
    classifier.network.load_state_dict(
        {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}
    )
