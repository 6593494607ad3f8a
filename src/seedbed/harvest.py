"""What a run leaves on its record beside the metrics of its epochs: data, test, model, note."""

import csv
import io
import shutil
from collections.abc import Mapping

import numpy as np
import pytorch_lightning as pl
import torch

from seedbed import predictor
from seedbed.assembly import Assembly
from seedbed.data.module import DataModule
from seedbed.job import Job
from seedbed.track.record import Record


def identify(record: Record, data: DataModule) -> None:
    """The identity of the data, one MLflow dataset input a split."""
    for split in data.identity():
        record.log_dataset(
            name=data.source,
            source=data.source,
            split=split.split,
            digest=split.content_digest,
            profile=split._asdict(),
        )


def note(job: Job, metrics: Mapping[str, float], files: Mapping[str, str]) -> str:
    """The run's description in the UI: what it was, what it reached, what was found about the fit."""
    shown = [name for name in metrics if name.startswith(("test/", "best_val/", "train/"))]
    rows = [f"| `{name}` | {metrics[name]:.4f} |" for name in sorted(shown) if name != "train/epoch_seconds"]
    head = f"**{job.choices['model']}** on **{job.choices['data']}**, seed {job.config['seed']}"
    told = [head, "\n".join(["| metric | value |", "|---|---|", *rows])]
    told += [text for path, text in files.items() if path.endswith(".txt")]
    return "\n\n".join([*told, f"`{job.command}`"])


def evaluate_test(trainer: pl.Trainer, assembly: Assembly, record: Record) -> dict[str, float]:
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
    path.unlink()
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


def keep(job: Job, assembly: Assembly, record: Record) -> None:
    """Checkpoints and the fitted model become artifacts; the run's own folder lets go of them."""
    for name in ("best.ckpt", "last.ckpt"):
        record.log_file(record.folder / name, "checkpoints")
        (record.folder / name).unlink()
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
        shutil.rmtree(folder)
