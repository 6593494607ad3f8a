"""What a run leaves on its record beside the metrics of its epochs: data, test, model, note.

Each step may be repeated: a process that was killed here leaves its steps to the one that goes on.
"""

import csv
import hashlib
import io
import shutil
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pytorch_lightning as pl
import torch

from seedbed import keepsake, predictor
from seedbed.assembly import Assembly
from seedbed.checkpoint import BEST, LAST
from seedbed.data.module import DataModule
from seedbed.job import Job
from seedbed.metric import two_classes
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


class Digests(NamedTuple):
    """Digests of every example's logits of the splits that the best weights were tried on; None: not."""

    test: str | None = None
    val: str | None = None


def evaluate(
    trainer: pl.Trainer, assembly: Assembly, record: Record | None, *, test: bool
) -> tuple[dict[str, float], Digests]:
    """Goes through the test split, or where that stays unread the validation split, with the best weights.

    Args:
        trainer: of the processes that share the reading.
        assembly: the parts.
        record: on the first rank; None on the others.
        test: whether the test split is to be read.

    Returns:
        The test split's metrics, and what was traced of the logits.
    """
    if test:
        tested = evaluate_test(trainer, assembly, record)
        return tested.metrics, Digests(test=tested.logits_digest)
    return {}, Digests(val=_keep_validation(trainer, assembly, record))


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
    predictions = keepsake.predictions(assembly, "test")
    if record is not None:
        record.log_text(confusion_csv(assembly.data.facts.class_names, counts), "test/confusion.csv")
        for name, text in _of_two_classes(assembly, predictions).items():
            record.log_text(text, f"test/{name}")
        keepsake.keep(record, assembly, "test", predictions)
    return Tested(metrics, array_digest(predictions["logits"]))


def _keep_validation(trainer: pl.Trainer, assembly: Assembly, record: Record | None) -> str | None:
    """Keeps the validation split's logits; their metrics were logged when these weights were the best."""
    loader = assembly.data.val_dataloader()
    if loader is None:
        return None
    trainer.test(assembly.classifier, loader, verbose=False)
    predictions = keepsake.predictions(assembly, "val")
    if record is not None:
        keepsake.keep(record, assembly, "val", predictions)
    return array_digest(predictions["logits"])


def _of_two_classes(assembly: Assembly, predictions: keepsake.Predictions) -> dict[str, str]:
    """Interval of the area and calibration by parts, where there are two classes."""
    if assembly.data.facts.num_classes != 2:
        return {}
    likelihood = assembly.classifier.network.likelihood
    own = likelihood.log_probabilities(torch.from_numpy(predictions["logits"]))[:, 1]
    return two_classes.files(own.double().exp().numpy(), predictions["labels"])


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


def keep_trace(record: Record, trace: Trace, logits: Digests, metrics: Mapping[str, float]) -> None:
    """What a re-run is compared with, to the last bit.

    Args:
        record: the run's.
        trace: of the training.
        logits: digests of those of the test or the validation split.
        metrics: the last word on each.
    """
    weights = {"initial": trace.initial, "epochs": trace.epochs}
    traced = {"test_logits": logits.test, "val_logits": logits.val}
    record.log_json(weights | traced, "fit/trace.json")
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
