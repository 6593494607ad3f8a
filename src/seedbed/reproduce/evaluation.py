"""The best checkpoint, evaluated once more on the test split, against what is on record.

Nothing is chosen by it and nothing is written: the record had these numbers before. So it is no new
read of the test split in the sense of `seedbed.num_test_reads`, which counts how often a run has
shown new ones.
"""

import copy
import json
import logging
import math
import warnings
from collections.abc import Mapping
from typing import Any

import pytorch_lightning as pl

from seedbed.assembly import Assembly, assemble, device_of
from seedbed.errors import DataError
from seedbed.growing import restore
from seedbed.harvest import Tested, evaluate_test
from seedbed.reproduce.check import UNPACKED_DATA, Check, Subject, judged
from seedbed.strategy import processes

# Of the larger of 1 and the value: the same sums in another order, on one kind of device.
ROUNDING = {"64-true": 1e-10, "32-true": 1e-5, "bf16-mixed": 2e-2, "16-mixed": 5e-3}
# Shares count examples, and rounding can put a tie's other side first.
NUM_TIES = 1
SHARES = ("accuracy", "score", "calibration_error")


def evaluation(subject: Subject) -> Check:
    """A fresh evaluation gives the test metrics that are on record; skipped where it cannot be made."""
    stored = {name: value for name, value in subject.member.metrics.items() if name.startswith("test/")}
    if not stored:
        return Check("evaluation", "skipped", "the test split is unread")
    config = _alone(subject)
    here, there = device_of("auto", 0).type, _device(subject)
    if there == "cuda" != here:
        return Check("evaluation", "skipped", f"the run was on {there}, here is only {here}")
    try:
        assembly = assemble(config)
    except DataError as error:
        return Check("evaluation", "skipped", f"the data is not at hand: {error}")
    if _content(assembly) != _recorded(subject):
        return Check("evaluation", "skipped", "the data at hand is not that of the record, by its digests")
    tested = _tested(config, assembly, subject)
    return _judged(subject, stored, tested)


def _alone(subject: Subject) -> dict[str, Any]:
    """The config for one process that fetches and compiles nothing, with the data that came along."""
    own = copy.deepcopy(subject.job.config)
    own["trainer"] |= {"strategy": "single", "devices": 1, "num_nodes": 1, "compile": False}
    if "download" in own["data"]:
        own["data"]["download"] = False
    if UNPACKED_DATA in subject.member.tags:
        own["data"]["root"] = str(subject.store.root / subject.member.tags[UNPACKED_DATA])
    return own


def _device(subject: Subject) -> str:
    in_force = json.loads(subject.files["provenance/in_force.json"].read_text())
    return "cuda" if in_force["gpus"] and subject.job.config["trainer"]["accelerator"] != "cpu" else "cpu"


def _content(assembly: Assembly) -> set[tuple[str, str, str]]:
    return {(part.split, part.content_digest, part.split_digest) for part in assembly.data.identity()}


def _recorded(subject: Subject) -> set[tuple[str, str, str]]:
    return {(told["split"], told["content_digest"], told["split_digest"]) for told in _profiles(subject)}


def _profiles(subject: Subject) -> list[dict[str, Any]]:
    """What the run said of each of its splits."""
    return [json.loads(used.dataset.profile) for used in subject.run.inputs.dataset_inputs]


def _tested(config: Mapping[str, Any], assembly: Assembly, subject: Subject) -> Tested:
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)  # its advice is not about us
    restore(assembly.classifier, subject.files["checkpoints/best.ckpt"])
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"`isinstance\(treespec, LeafSpec\)` is deprecated")
        trainer = pl.Trainer(
            deterministic=config["trainer"]["deterministic"],
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            use_distributed_sampler=False,
            **processes(config["trainer"], assembly.device),
        )
        return evaluate_test(trainer, assembly, None)


def _judged(subject: Subject, stored: Mapping[str, float], tested: Tested) -> Check:
    trace = json.loads(subject.files["fit/trace.json"].read_text())
    (num_examples,) = (told["num_examples"] for told in _profiles(subject) if told["split"] == "test")
    rounding = ROUNDING[subject.job.config["trainer"]["precision"]]
    wrong = []
    for name, expected in sorted(tested.metrics.items()):
        tolerance = rounding * max(1.0, abs(expected)) + _ties(name) / num_examples
        if not _near(expected, stored.get(name), tolerance):
            wrong.append(f"{name}: expected {expected!r} within {tolerance:.1e}, got {stored.get(name)!r}")
    same = tested.logits_digest == trace["test_logits"]
    how = "the logits bit for bit" if same else f"within {rounding:.0e}, shares by {NUM_TIES} example more"
    return judged("evaluation", f"{len(stored)} test metrics from {num_examples} examples, {how}", wrong)


def _near(expected: float, got: float | None, tolerance: float) -> bool:
    """Whether two values agree; a value that is not defined agrees with one that is not either."""
    if got is None or math.isnan(expected) or math.isnan(got):
        return got is not None and math.isnan(expected) and math.isnan(got)
    return abs(expected - got) <= tolerance


def _ties(name: str) -> int:
    return NUM_TIES if name.endswith(SHARES) else 0
