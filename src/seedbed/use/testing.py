"""A recorded model on another split or data set: a child run, with its reads of test splits counted."""

import shutil
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from seedbed.data.module import DataModule
from seedbed.harvest import confusion_csv, count_read, let_go
from seedbed.recording import closing
from seedbed.track.manifest import seal
from seedbed.track.provenance import provenance
from seedbed.track.record import Record
from seedbed.use.elsewhere import Chosen, chosen
from seedbed.use.evaluating import Evaluation, check_fits, evaluated
from seedbed.use.origin import check_same, is_own
from seedbed.use.trained import Trained
from seedbed.verdict.members import KIND, TEST

# On the child: the run whose model it tests, and the logged model.
TESTS = "seedbed.tests"
# It has no epochs.
STEP = 0


class Examined(NamedTuple):
    """What was found.

    Args:
        run_id: the child run's.
        name: its name.
        split: that was read.
        num_examples: in the split.
        metrics: as `<split>/<name>`.
        num_reads: how often this model's own test split has been read now; None where another was.
    """

    run_id: str
    name: str
    split: str
    num_examples: int
    metrics: dict[str, float]
    num_reads: int | None


def examine(model: Trained, split: str, overrides: Collection[str], command: str) -> Examined:
    """Evaluates a run's model and records it as a child of the run.

    A read of the run's own test split counts on the run; of another test split, on the child.

    Args:
        model: of the run.
        split: train, val or test.
        overrides: `data=OPTION`, `data.KEY=VALUE`; none: the run's own data, as it was.
        command: what the user typed.

    Raises:
        ConfigError: for keys or a split that cannot be.
        DataError: for data that is not at hand, is not the recorded one, or does not fit the model.
    """
    found = chosen(model.subject, overrides)
    check_fits(model, found.module, split)
    if not overrides:
        check_same(model, found.module)
    record = _begun(model, found, split, command)
    with closing(record):
        own = is_own(model, found.module)
        num_reads = _counted(record, model, found.module, own=own) if split == "test" else None
        result = evaluated(model.predictor, found.module, split)
        _keep(record, model, found, split, result)
        seal(record)
        record.finish("FINISHED")
    let_go(record)
    name = f"{model.name} on {found.option} {split}"
    metrics = {f"{split}/{metric}": value for metric, value in result.metrics.items()}
    return Examined(record.run_id, name, split, len(result.labels), metrics, num_reads)


def _counted(record: Record, model: Trained, data: DataModule, *, own: bool) -> int | None:
    if not own:
        count_read(record, data)
        return None
    return count_read(Record(model.subject.store, model.run_id), data)


def _begun(model: Trained, found: Chosen, split: str, command: str) -> Record:
    subject = model.subject
    experiment = subject.store.client.get_experiment(subject.member.experiment_id).name
    origin = provenance(Path.cwd())
    record = Record.start(
        subject.store,
        experiment=experiment,
        name=f"{model.name} on {found.option} {split}",
        params={"model": subject.job.choices["model"], "data": found.option, "split": split},
        tags={KIND: TEST, TESTS: model.run_id, "seedbed.command": command} | origin.tags,
        parent_run_id=model.run_id,
    )
    for path, text in origin.files.items():
        record.log_text(text, path)
    return record


def _keep(record: Record, model: Trained, found: Chosen, split: str, result: Evaluation) -> None:
    metrics = {f"{split}/{name}": value for name, value in result.metrics.items()}
    record.log_metrics(metrics, step=STEP)
    record.deliver()
    (identity,) = (part for part in found.module.identity() if part.split == split)
    source, profile = found.module.source, identity._asdict()
    record.log_dataset(
        name=source, source=source, split=split, digest=identity.content_digest, profile=profile
    )
    names = model.predictor.class_names
    record.log_text(confusion_csv(names, result.confusion), f"{split}/confusion.csv")
    record.log_json(_told(model, found, split), "test.json")
    _log_predictions(record, split, result)
    record.set_note(_note(model, found, split, metrics, len(result.labels)))


def _told(model: Trained, found: Chosen, split: str) -> dict[str, Any]:
    return {"run_id": model.run_id, "split": split, "data": found.option, "config": found.config}


def _log_predictions(record: Record, split: str, result: Evaluation) -> None:
    folder = record.folder / "predictions"
    folder.mkdir()
    arrays = {name: getattr(result, name).numpy() for name in ("logits", "labels", "indices")}
    np.savez(folder / "predictions.npz", allow_pickle=False, **arrays)
    record.log_file(folder / "predictions.npz", split)
    shutil.rmtree(folder)


def _note(model: Trained, found: Chosen, split: str, metrics: Mapping[str, float], num_examples: int) -> str:
    head = f"The model of **{model.name}** (`{model.run_id}`) on the {split} split of **{found.option}**"
    rows = [f"| `{name}` | {value:.4f} |" for name, value in metrics.items()]
    return f"{head}, {num_examples} examples.\n\n" + "\n".join(["| metric | value |", "|---|---|", *rows])
