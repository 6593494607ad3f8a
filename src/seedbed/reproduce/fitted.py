"""What the fit has left, checkpoints and predictions, against what was traced while it went on."""

import json

import numpy as np
import torch

from seedbed.checkpoint import BEST, LAST, RefusedError, read
from seedbed.recording import job_signature
from seedbed.reproduce.check import Check, Subject, compared, judged
from seedbed.trace import array_digest, weights_digest

NETWORK = "network."


def checkpoints(subject: Subject) -> Check:
    """Both checkpoints load, are of this configuration and epoch, and hold the weights that were traced."""
    if subject.member.status == "PRUNED":
        return Check("checkpoints", "skipped", "a run that a search ended early keeps none")
    trace = json.loads(subject.files["fit/trace.json"].read_text())
    told = json.loads(subject.files["fit/metrics.json"].read_text())
    last = subject.num_epochs
    best = int(float.fromhex(told.get("best_val/epoch", float(last).hex())))
    wrong = compared("fit/trace.json, epochs", last, len(trace["epochs"]))
    for name, epoch in ((LAST, last), (BEST, best)):
        wrong += _faults(subject, name, epoch, trace["epochs"][epoch - 1])
    return judged(
        "checkpoints", f"{LAST} of epoch {last} and {BEST} of epoch {best}, weights as traced", wrong
    )


def _faults(subject: Subject, name: str, epoch: int, traced: str) -> list[str]:
    path = subject.files.get(f"checkpoints/{name}")
    if path is None:
        return [f"{name}: expected the file, got none"]
    try:
        mark = read(path, job_signature(subject.job))
    except RefusedError as why:
        return [f"{name}: {why}"]
    state = torch.load(path, map_location="cpu", weights_only=True)["state_dict"]
    weights = {key.removeprefix(NETWORK): value for key, value in state.items() if key.startswith(NETWORK)}
    wrong = compared(f"{name}, position", (epoch, 0), (mark.epoch, mark.batch))
    return wrong + compared(f"{name}, weights", traced[:16], weights_digest(weights)[:16])


def predictions(subject: Subject) -> Check:
    """The kept logits, of the test split or of validation, are those that were traced."""
    split = next((split for split in ("test", "val") if f"{split}/predictions.npz" in subject.files), None)
    if split is None:
        return Check("predictions", "skipped", "the test split is unread")
    trace = json.loads(subject.files["fit/trace.json"].read_text())
    with np.load(subject.files[f"{split}/predictions.npz"]) as kept:
        logits = kept["logits"]
    wrong = compared(f"{split}/predictions.npz, logits", trace[f"{split}_logits"], array_digest(logits))
    return judged("predictions", f"logits of {len(logits)} {split} examples as traced", wrong)
