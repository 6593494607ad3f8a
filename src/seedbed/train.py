"""One run, from a job to a closed record."""

import logging
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytorch_lightning as pl
import torch
from lightning_fabric.plugins.environments import LightningEnvironment
from omegaconf import OmegaConf

from seedbed import config as schema
from seedbed.assembly import Assembly, assemble
from seedbed.callbacks import Bar, EpochEnd, StopAtStep
from seedbed.classifier import Classifier
from seedbed.errors import Stopped
from seedbed.fit import report
from seedbed.harvest import evaluate_test, identify, keep, note
from seedbed.job import REPETITION, Job
from seedbed.optim.sense import check
from seedbed.stopping import Stopping
from seedbed.track.provenance import in_force, provenance
from seedbed.track.record import Record
from seedbed.track.signature import signature
from seedbed.track.store import Store


class Outcome(NamedTuple):
    """What a run leaves: its record and its last word on every metric."""

    run_id: str
    name: str
    metrics: dict[str, float]


def run(job: Job) -> Outcome:
    """Trains, evaluates and records one job.

    Raises:
        SeedbedError: for a configuration, data or store that cannot work.
        Stopped: where a signal ended the run; its record is KILLED.
    """
    check(job.config)
    stopping = Stopping()
    with stopping.listening(), _recorded(job) as record, warnings.catch_warnings():
        # Data may be too few to hold any out; Lightning's copy of a torch function is out of date.
        warnings.filterwarnings("ignore", "You defined a `validation_step` but have no `val_dataloader`")
        warnings.filterwarnings("ignore", r"`isinstance\(treespec, LeafSpec\)` is deprecated")
        assembly = assemble(job.config)
        identify(record, assembly.data)
        metrics = _grow(job, assembly, record, stopping)
    return Outcome(record.run_id, job.name, metrics)


@contextmanager
def _recorded(job: Job) -> Iterator[Record]:
    """The run's record, closed with the right status however the run ends."""
    track = job.config["track"]
    origin = provenance(Path.cwd())
    record = Record.start(
        Store.open(Path(track["root"])),
        experiment=track["experiment"],
        name=job.name,
        params=job.params,
        tags=_identity(job) | origin.tags,
        parent_run_id=track["parent_run_id"],
    )
    try:
        job.save(record.folder / "job.json")
        record.log_file(record.folder / "job.json")
        record.log_text(OmegaConf.to_yaml(job.config), "config.yaml")
        for path, text in origin.files.items():
            record.log_text(text, path)
        with record.system_metrics(enabled=track["system_metrics"]):
            yield record
        record.finish("FINISHED")
    except Stopped:
        record.finish("KILLED")
        raise
    except BaseException as error:
        record.fail(error)
        raise


def _identity(job: Job) -> dict[str, str]:
    circumstances = schema.circumstances()
    return {
        "seedbed.kind": "run",
        "seedbed.signature": signature(job.config, circumstances),
        "seedbed.setting": signature(job.config, circumstances | set(REPETITION)),
        "seedbed.command": job.command,
    }


def _grow(job: Job, assembly: Assembly, record: Record, stopping: Stopping) -> dict[str, float]:
    """Fits, evaluates the best checkpoint, keeps the model; returns the final metrics."""
    classifier, data = assembly.classifier, assembly.data
    val_loader = data.val_dataloader()
    epoch_end = EpochEnd(record, record.folder, job.config["trainer"]["monitor"] if val_loader else None)
    trainer = _trainer(job, record, [epoch_end, StopAtStep(stopping)], assembly)
    wall, cpu = time.perf_counter(), time.process_time()
    with stopping.deferred():
        trainer.fit(classifier, data.train_dataloader(), val_loader)
    metrics = {"fit/wall_seconds": time.perf_counter() - wall, "fit/cpu_seconds": time.process_time() - cpu}
    record.log_json(in_force(), "provenance/in_force.json")
    _restore(classifier, record.folder / "best.ckpt")
    metrics |= epoch_end.best()
    if job.config["evaluate_test"]:
        metrics |= evaluate_test(trainer, assembly, record)
    found = report(job.config, classifier.network, data)
    metrics |= found.metrics
    record.set_tags(found.tags)
    for path, text in found.files.items():
        record.log_text(text, path)
    record.log_metrics(metrics, step=job.config["trainer"]["max_epochs"])
    record.deliver()
    record.set_note(note(job, epoch_end.best_metrics | metrics, found.files))
    keep(job, assembly, record)
    return {**epoch_end.best_metrics, **metrics}


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
