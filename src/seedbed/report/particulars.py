"""What the model card and the checklist tell beyond the page, read from the record once."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from omegaconf import OmegaConf

from seedbed.report.evidence import Evidence, artifact, has_artifact
from seedbed.track.store import Store
from seedbed.verdict.find import everywhere
from seedbed.verdict.members import Member
from seedbed.verdict.per_class import ClassResult, per_class

# Tags that `reproduce` sets on the new run; to import that room would load torch.
REPRODUCES, VERDICT = "seedbed.reproduces", "seedbed.reproduction"
CONFIG, PACKAGES, CHECKPOINT = "config.yaml", "provenance/packages.txt", "checkpoints/best.ckpt"
IDENTITY = {"split", "num_examples", "class_counts", "content_digest", "split_digest"}


class Input(NamedTuple):
    """One split of a run's data, as the run's dataset inputs have it.

    Args:
        split: train, val or test.
        name: of the data set.
        profile: sizes, class counts, digests of the content and of the split.
    """

    split: str
    name: str
    profile: Mapping[str, Any]


class Use(NamedTuple):
    """One data set as one kind of split, over some runs.

    Args:
        split: train, val or test.
        name: of the data set.
        content_digest: SHA-256 of the decoded content.
        split_digests: SHA-256 of which examples it was, one for each that differs.
        sizes: fewest and most examples.
        class_sizes: fewest and most examples of a class.
        num_runs: that had it.
    """

    split: str
    name: str
    content_digest: str
    split_digests: Sequence[str]
    sizes: tuple[int, int]
    class_sizes: tuple[int, int]
    num_runs: int


class Rerun(NamedTuple):
    """A run of this study that was run again.

    Args:
        original: the run.
        run_id: of the new run.
        verdict: what came of it; empty where the new run has none.
        status: how the new run ended.
        command: what was typed; it may have changed keys.
    """

    original: Member
    run_id: str
    verdict: str
    status: str
    command: str


class Particulars(NamedTuple):
    """What is told of single runs.

    Args:
        inputs: run id to its splits, of every run of the study.
        config: every key of the best setting's first run; empty where the run keeps none.
        in_force: threads and switches that were set then, likewise.
        classes: results of the best setting by class; empty where no run has evaluated its test split.
        kept: artifact to how many of the compared runs have it.
        reruns: oldest first.
    """

    inputs: Mapping[str, Sequence[Input]]
    config: Mapping[str, Any]
    in_force: Mapping[str, Any]
    classes: Sequence[ClassResult]
    kept: Mapping[str, int]
    reruns: Sequence[Rerun]

    def uses(self, runs: Iterable[Member]) -> list[Use]:
        """The data of these runs, equal ones once, in order of appearance."""
        found: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
        for run in runs:
            for split, name, profile in self.inputs.get(run.run_id, ()):
                found.setdefault((split, name, profile["content_digest"]), []).append(profile)
        return [_use(*key, profiles) for key, profiles in found.items()]


def read(store: Store, evidence: Evidence) -> Particulars:
    """Reads them; the contents of artifacts only of the best setting.

    Args:
        store: where the study is.
        evidence: what the page is made from.
    """
    best = evidence.comparison.rows[0]
    runs = [run for run in best.runs if run.setting]  # another program's artifacts may hold anything
    texts = [artifact(store, run.run_id, "test/confusion.csv") for run in runs]
    return Particulars(
        _inputs(store, evidence.study),
        _first(store, runs, CONFIG),
        _first(store, runs, "provenance/in_force.json"),
        per_class([text for text in texts if text], best.ratio),
        _kept(store, compared(evidence)),
        _reruns(store, evidence.members),
    )


def _first(store: Store, runs: Sequence[Member], path: str) -> dict[str, Any]:
    """What this artifact of the first run holds; JSON is YAML, too."""
    text = artifact(store, runs[0].run_id, path) if runs else None
    held = OmegaConf.to_container(OmegaConf.create(text or "{}"))
    assert isinstance(held, dict)
    return {str(key): value for key, value in held.items()}


def _inputs(store: Store, study: Member) -> dict[str, list[Input]]:
    runs = store.search([study.experiment_id], f"tags.mlflow.parentRunId = '{study.run_id}'")
    return {run.info.run_id: [*_splits(run.inputs.dataset_inputs)] for run in runs}


def _splits(dataset_inputs: Iterable[Any]) -> Iterable[Input]:
    """Those that tell their identity as this program does; others' profiles may be anything."""
    for dataset in (found.dataset for found in dataset_inputs):
        try:
            profile = json.loads(dataset.profile or "null")
        except ValueError:
            continue
        if isinstance(profile, dict) and set(profile) >= IDENTITY:
            yield Input(profile["split"], dataset.name, profile)


def _use(split: str, name: str, digest: str, profiles: Sequence[Mapping[str, Any]]) -> Use:
    sizes = [profile["num_examples"] for profile in profiles]
    class_sizes = [size for profile in profiles for size in profile["class_counts"]]
    splits = list(dict.fromkeys(profile["split_digest"] for profile in profiles))
    return Use(
        split,
        name,
        digest,
        splits,
        (min(sizes), max(sizes)),
        (min(class_sizes), max(class_sizes)),
        len(profiles),
    )


def compared(evidence: Evidence) -> list[Member]:
    """The runs whose figures are told, setting by setting."""
    return [run for row in evidence.comparison.rows for run in row.runs]


def _kept(store: Store, runs: Sequence[Member]) -> dict[str, int]:
    paths = (CONFIG, PACKAGES, CHECKPOINT)
    return {path: sum(has_artifact(store, run.run_id, path) for run in runs) for path in paths}


def _reruns(store: Store, runs: Sequence[Member]) -> list[Rerun]:
    """Wherever in the store: what reproduces a run may be another's experiment."""
    originals = {run.run_id: run for run in runs}
    found = store.search(everywhere(store), f"tags.`{REPRODUCES}` LIKE '%'")
    return [
        Rerun(
            originals[run.data.tags[REPRODUCES]],
            run.info.run_id,
            run.data.tags.get(VERDICT, ""),
            run.info.status,
            run.data.tags.get("seedbed.command", ""),
        )
        for run in found
        if run.data.tags[REPRODUCES] in originals
    ]
