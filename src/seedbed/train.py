"""One run, from a job to a closed record."""

import csv
import io
import logging
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytorch_lightning as pl
import torch
from lightning_fabric.plugins.environments import LightningEnvironment
from omegaconf import OmegaConf

from seedbed import config as schema
from seedbed import predictor
from seedbed.assembly import Assembly, assemble
from seedbed.callbacks import Bar, EpochEnd, StopAtStep
from seedbed.classifier import Classifier
from seedbed.data.module import DataModule
from seedbed.errors import Stopped
from seedbed.fit import report
from seedbed.job import SEEDS, Job
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
        _identify(record, assembly.data)
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
        "seedbed.setting": signature(job.config, circumstances | set(SEEDS)),
        "seedbed.command": job.command,
    }


def _identify(record: Record, data: DataModule) -> None:
    """The identity of the data, one MLflow dataset input a split."""
    for split in data.identity():
        record.log_dataset(
            name=data.source,
            source=data.source,
            split=split.split,
            digest=split.content_digest,
            profile=split._asdict(),
        )


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
        metrics |= _evaluate_test(trainer, assembly, record)
    found = report(job.config, classifier.network, data)
    metrics |= found.metrics
    record.set_tags(found.tags)
    for path, text in found.files.items():
        record.log_text(text, path)
    record.log_metrics(metrics, step=job.config["trainer"]["max_epochs"])
    record.deliver()
    record.set_note(_note(job, epoch_end.best_metrics | metrics, found.files))
    _keep(job, assembly, record)
    return {**epoch_end.best_metrics, **metrics}


def _note(job: Job, metrics: Mapping[str, float], files: Mapping[str, str]) -> str:
    """The run's description in the UI: what it was, what it reached, what was found about the fit."""
    shown = [name for name in metrics if name.startswith(("test/", "best_val/", "train/"))]
    rows = [f"| `{name}` | {metrics[name]:.4f} |" for name in sorted(shown) if name != "train/epoch_seconds"]
    head = f"**{job.choices['model']}** on **{job.choices['data']}**, seed {job.config['seed']}"
    told = [head, "\n".join(["| metric | value |", "|---|---|", *rows])]
    told += [text for path, text in files.items() if path.endswith(".txt")]
    return "\n\n".join([*told, f"`{job.command}`"])


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


def _evaluate_test(trainer: pl.Trainer, assembly: Assembly, record: Record) -> dict[str, float]:
    """Reads the test split once, with the best weights, and keeps every example's logits."""
    loader = assembly.data.test_dataloader()
    assert loader is not None  # refused at assembly
    classifier = assembly.classifier
    trainer.test(classifier, loader, verbose=False)
    metrics = {f"test/{name}": value for name, value in classifier.test_metrics.compute().items()}
    record.log_text(_confusion_csv(assembly), "test/confusion.csv")
    path = record.folder / "predictions.npz"
    logits, labels, indices = (
        torch.cat(parts).cpu().numpy() for parts in zip(*classifier.test_outputs, strict=True)
    )
    np.savez(path, logits=logits, labels=labels, indices=indices)
    record.log_file(path, "test")
    return metrics


def _confusion_csv(assembly: Assembly) -> str:
    """Rows are true classes, columns predicted ones, cells counts."""
    names = assembly.data.facts.class_names
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["true \\ predicted", *names])
    for name, row in zip(names, assembly.classifier.test_metrics.confusion().tolist(), strict=True):
        writer.writerow([name, *row])
    return out.getvalue()


def _keep(job: Job, assembly: Assembly, record: Record) -> None:
    """Checkpoints and the fitted model become artifacts."""
    for name in ("best.ckpt", "last.ckpt"):
        record.log_file(record.folder / name, "checkpoints")
    if job.config["track"]["log_model"]:
        folder = record.folder / "predictor"
        predictor.save(
            folder,
            network_config=job.config["model"],
            facts=assembly.data.facts,
            state=assembly.classifier.network.state_dict(),
            preprocessing=assembly.data.preprocessing,
            feature_map=assembly.data.feature_map,
            dtype=job.config["trainer"]["precision"],
            example=assembly.data.raw_examples(predictor.NUM_EXAMPLES),
        )
        record.log_model(folder)
