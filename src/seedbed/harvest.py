"""What a run leaves on its record beside the metrics of its epochs: data, test, model, note.

Each step may be repeated: a process that was killed here leaves its steps to the one that goes on.
"""

import csv
import hashlib
import io
import shutil
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pytorch_lightning as pl
import torch
from numpy.typing import NDArray

from seedbed import predictor
from seedbed.assembly import Assembly
from seedbed.checkpoint import BEST, LAST
from seedbed.data.module import DataModule
from seedbed.job import Job
from seedbed.trace import Trace, array_digest
from seedbed.track.record import Record

NUM_READS, TEST_SPLIT = "seedbed.num_test_reads", "seedbed.test_split"
# What stays in the folder of a finished run, and what else does while the store lacks it.
KEPT, UNDELIVERED = ("journal.jsonl", "delivered", "job.json", "error.txt"), ("outbox", "rank_*")


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


def note(job: Job, metrics: Mapping[str, float], texts: Iterable[str]) -> str:
    """The run's description in the UI: what it was, what it reached, what else there is to say."""
    shown = [name for name in metrics if name.startswith(("test/", "best_val/", "train/"))]
    rows = [f"| `{name}` | {metrics[name]:.4f} |" for name in sorted(shown) if name != "train/epoch_seconds"]
    head = f"**{job.choices['model']}** on **{job.choices['data']}**, seed {job.config['seed']}"
    told = [head, "\n".join(["| metric | value |", "|---|---|", *rows])]
    return "\n\n".join([*told, *texts, f"`{job.command}`"])


class Tested(NamedTuple):
    """What the test split has shown: its metrics, and the digest of every example's logits."""

    metrics: dict[str, float]
    logits_digest: str


def evaluate_test(trainer: pl.Trainer, assembly: Assembly, record: Record | None) -> Tested:
    """Reads the test split once, with the best weights, and keeps every example's logits.

    Args:
        trainer: of the processes that share the reading.
        assembly: the parts.
        record: on the first rank; None on the others.
    """
    loader = assembly.data.test_dataloader()
    assert loader is not None  # refused at assembly
    if record is not None:
        count_read(record, assembly.data)
    classifier = assembly.classifier
    trainer.test(classifier, loader, verbose=False)
    metrics = {f"test/{name}": value for name, value in classifier.test_metrics.compute().items()}
    counts = classifier.test_metrics.confusion()
    predictions = _predictions(assembly)
    if record is not None:
        record.log_text(confusion_csv(assembly.data.facts.class_names, counts), "test/confusion.csv")
        path = record.folder / "predictions.npz"
        path.unlink(missing_ok=True)  # what waits for the store may be a link to an earlier one
        np.savez(path, allow_pickle=False, **predictions)
        record.log_file(path, "test")
        path.unlink()
    return Tested(metrics, array_digest(predictions["logits"]))


def _predictions(assembly: Assembly) -> dict[str, NDArray[Any]]:
    """Logits, label and index of every example of the test split, in file order, from all ranks."""
    classifier, loader = assembly.classifier, assembly.data.test_dataloader()
    assert loader is not None
    shares = classifier.seat.gathered([[part.cpu() for part in parts] for parts in classifier.test_outputs])
    batches = [batch for share in shares for batch in share]
    logits, labels, indices = (torch.cat(parts).numpy() for parts in zip(*batches, strict=True))
    if not classifier.seat.alone:
        rows = {index: row for row, index in enumerate(indices.tolist())}
        order = [rows[index] for index in loader.sampler.indices().tolist()]
        logits, labels, indices = logits[order], labels[order], indices[order]
    return {"logits": logits, "labels": labels, "indices": indices}


def count_read(record: Record, data: DataModule) -> int:
    """Says before the read that it happens, and of which split: a read that was cut off is one, too.

    Returns:
        How many reads of it the record knows of now.
    """
    (split,) = (split for split in data.identity() if split.split == "test")
    digest = hashlib.sha256(f"{split.content_digest} {split.split_digest}".encode()).hexdigest()[:16]
    num_reads = int(record.tags().get(NUM_READS, "0")) + 1
    record.set_tags({NUM_READS: str(num_reads), TEST_SPLIT: digest})
    return num_reads


def confusion_csv(names: Sequence[str], counts: torch.Tensor) -> str:
    """Counts as a table: rows are true classes, columns predicted ones, cells counts."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["true \\ predicted", *names])
    for name, row in zip(names, counts.tolist(), strict=True):
        writer.writerow([name, *row])
    return out.getvalue()


def keep_trace(record: Record, trace: Trace, logits_digest: str | None, metrics: Mapping[str, float]) -> None:
    """What a re-run is compared with, to the last bit.

    Args:
        record: the run's.
        trace: of the training.
        logits_digest: of the test split's logits; None where it was not read.
        metrics: the last word on each.
    """
    weights = {"initial": trace.initial, "epochs": trace.epochs}
    record.log_json(weights | {"test_logits": logits_digest}, "fit/trace.json")
    record.log_json({name: value.hex() for name, value in metrics.items()}, "fit/metrics.json")
    path = record.folder / "objectives.npy"
    path.unlink(missing_ok=True)  # what waits for the store may be a link to an earlier one
    np.save(path, trace.objectives)
    record.log_file(path, "fit")
    path.unlink()


def keep(job: Job, assembly: Assembly, record: Record) -> None:
    """Checkpoints and the fitted model become artifacts."""
    for name in (BEST, LAST):
        record.log_file(record.folder / name, "checkpoints")
    if job.config["track"]["log_model"]:
        folder = record.folder / "predictor"
        shutil.rmtree(folder, ignore_errors=True)  # a killed process may have left half of one
        predictor.save(
            folder,
            network_config=job.config["model"],
            facts=assembly.data.facts,
            state=assembly.classifier.network.state_dict(),
            preprocessing=assembly.data.preprocessing,
            feature_map=assembly.data.feature_map,
            dtype=job.config["trainer"]["precision"],
            example=assembly.data.raw_examples(predictor.NUM_EXAMPLES),
            column_names=assembly.data.column_names,
        )
        record.log_model(folder)


def let_go(record: Record) -> None:
    """Empties the folder of a run that is closed; not earlier, or a crash between would lose the run.

    What the store has not got stays: the journals, and the files that wait.
    """
    kept = {*KEPT, *UNDELIVERED} if record.waits else KEPT
    for path in record.folder.iterdir():
        if any(path.match(name) for name in kept):
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
