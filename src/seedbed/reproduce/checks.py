"""What a record says of itself, held against itself: files, configuration, metrics."""

import json
from collections.abc import Iterator, Sequence

from omegaconf import OmegaConf

from seedbed.checkpoint import BEST, LAST
from seedbed.metric.collection import available
from seedbed.recording import job_signature
from seedbed.reproduce.check import Check, Subject, compared, judged
from seedbed.track import manifest, resumption
from seedbed.track.entries import Point
from seedbed.track.journal import Journal
from seedbed.track.manifest import MANIFEST, TAG
from seedbed.track.values import PARAM_LIMIT, as_text, fitted

History = dict[str, list[Point]]
ALWAYS = (
    "job.json",
    "config.yaml",
    "fit/trace.json",
    "fit/metrics.json",
    "fit/objectives.npy",
    "provenance/in_force.json",
    "provenance/packages.txt",
)
# Of every epoch, beside the metrics of the training examples.
TRAINING = ("loss", "accuracy", "objective", "learning_rate", "epoch_seconds")


def artifacts(subject: Subject) -> Check:
    """Every file of a run is there and as it was written."""
    missing = [path for path in _promised(subject) if path not in subject.files]
    return files(subject, [f"{path}: expected the file, got none" for path in missing])


def files(subject: Subject, wrong: Sequence[str] = ()) -> Check:
    """Every file is as the manifest says, and the manifest is the one that was written.

    Args:
        subject: a run or a study.
        wrong: what is known to be wrong.
    """
    if MANIFEST not in subject.files:
        return Check("artifacts", "wrong", f"{MANIFEST}: expected the file, got none")
    found = compared(TAG, subject.member.tags.get(TAG), manifest.digest(subject.files[MANIFEST]))
    found += manifest.foreign(subject.files, json.loads(subject.files[MANIFEST].read_text()))
    told = f"{len(subject.files) - 1} files as {MANIFEST} says"
    return judged("artifacts", told, list(dict.fromkeys([*found, *wrong])))


def _promised(subject: Subject) -> Iterator[str]:
    yield from ALWAYS
    if subject.member.status != "PRUNED":
        yield from (f"checkpoints/{name}" for name in (BEST, LAST))
        if "job.json" in subject.files and subject.job.config["evaluate_test"]:
            yield "test/predictions.npz"


def signature(subject: Subject) -> Check:
    """The configuration is that of the signature, and the run shows what is in it."""
    job, run = subject.job, subject.run
    wrong = compared("seedbed.signature", job_signature(job), subject.member.tags.get("seedbed.signature"))
    if OmegaConf.to_yaml(job.config) != subject.files["config.yaml"].read_text():
        wrong.append("config.yaml: expected the configuration of job.json, got another")
    params, _ = fitted({name: as_text(value) for name, value in job.params.items()}, PARAM_LIMIT, "params")
    for name in sorted(params.keys() | run.data.params.keys()):
        wrong += compared(f"param {name}", params.get(name), run.data.params.get(name))
    told = f"{job_signature(job)}, of {len(params)} params and every other key"
    return judged("configuration", told, wrong)


def metrics(subject: Subject) -> Check:
    """Every metric of every epoch is there once, and each point is the one that was written."""
    history = _history(subject)
    epochs = list(range(1, subject.num_epochs + 1))
    wrong = [
        fault
        for name in _names(subject, history)
        for fault in _steps(name, epochs, sorted(point.step for point in history.get(name, [])))
    ]
    wrong += _rewritten(subject, history)
    told = f"{_counted(history)}, of epochs 1 to {subject.num_epochs} once each"
    return judged("metrics", told, wrong)


def points(subject: Subject) -> Check:
    """Each point of a study's metrics is the one that was written."""
    history = _history(subject)
    return judged("metrics", _counted(history), _rewritten(subject, history))


def _rewritten(subject: Subject, history: History) -> list[str]:
    """The metrics that are others than the manifest says; where there is none, `artifacts` says so."""
    if MANIFEST not in subject.files:
        return []
    known = json.loads(subject.files[MANIFEST].read_text())["metrics"]
    return _altered(known, manifest.digests(_flat(history)), MANIFEST)


def _counted(history: History) -> str:
    return f"{sum(map(len, history.values()))} points of {len(history)} metrics"


def _altered(expected: dict[str, str], got: dict[str, str], source: str) -> list[str]:
    """The metrics whose points, by their digests, are others."""
    return [
        f"{name}: expected the points that {source} has, got others"
        for name in sorted(expected.keys() | got.keys())
        if expected.get(name) != got.get(name)
    ]


def _history(subject: Subject) -> History:
    found: History = {}
    for point in resumption.points(subject.store, subject.run):
        if not point.name.startswith(manifest.SYSTEM):
            found.setdefault(point.name, []).append(point)
    return found


def _flat(history: History) -> Iterator[Point]:
    for points in history.values():
        yield from points


def _names(subject: Subject, history: History) -> list[str]:
    """The metrics that every epoch must have."""
    names = {f"train/{name}" for name in TRAINING}
    profiles = [json.loads(used.dataset.profile) for used in subject.run.inputs.dataset_inputs]
    validation = [profile for profile in profiles if profile["split"] == "val"]
    for profile in validation:
        names |= {f"val/{name}" for name in available(len(profile["class_counts"]))}
    return sorted(names | {name for name in history if name.startswith(("train/", "val/"))})


def _steps(name: str, expected: list[int], got: list[int]) -> list[str]:
    missing = sorted(set(expected) - set(got))
    others = sorted(set(got) - set(expected))
    twice = sorted({step for step in got if got.count(step) > 1})
    faults = [(missing, "missing"), (twice, "more than once"), (others, "beside them")]
    asked = f"expected epochs 1 to {expected[-1]} once each"
    return [f"{name}: {asked}, got {steps} {how}" for steps, how in faults if steps]


def final_metrics(subject: Subject) -> Check:
    """The last word on each metric is, to the last bit, in the store as in `fit/metrics.json`."""
    told = json.loads(subject.files["fit/metrics.json"].read_text())
    history = _history(subject)
    best = int(float.fromhex(told.get("best_val/epoch", float(subject.num_epochs).hex())))
    wrong: list[str] = []
    for name, text in told.items():
        step = best if name.startswith(("train/", "val/")) else subject.num_epochs
        expected = manifest.as_stored(float.fromhex(text)).hex()
        got = [point.value for point in history.get(name, []) if point.step == step]
        if [value.hex() for value in got] != [expected]:
            wrong.append(f"{name} at step {step}: expected {float.fromhex(text)!r}, got {_listed(got)}")
    return judged("final metrics", f"{len(told)} as fit/metrics.json has them, bit for bit", wrong)


def _listed(values: list[float]) -> str:
    return ", ".join(map(repr, values)) or "none"


def journal(subject: Subject) -> Check:
    """The points in the run's local folder are those of the store."""
    folder = subject.store.root / "runs" / subject.run.info.run_id
    if not (folder / "journal.jsonl").exists():
        return Check("journal", "skipped", "the run's folder is not here")
    kept = manifest.digests(Journal(folder).points())
    wrong = _altered(kept, manifest.digests(_flat(_history(subject))), "the journal")
    return judged("journal", f"{len(kept)} metrics as the store has them", wrong)
