"""Runs that the tests of this room share, opened as the pictures see them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch

from seedbed.assembly import data_of
from seedbed.job import Job
from seedbed.reproduce.check import Subject
from seedbed.streams import spawn
from seedbed.track.kept import kept
from seedbed.track.store import Store
from seedbed.train import run
from seedbed.verdict.find import find
from tests.conftest import jobs_in

SHORT = ("data=digits", "trainer.progress_bar=false", "optimizer.lr=0.01", "evaluate_test=true")
NUM_WORST = 25


@contextmanager
def subject(root: Path, *keys: str) -> Iterator[Subject]:
    """A run that is trained here and now.

    Args:
        root: folder for its store.
        keys: of its configuration.
    """
    with jobs_in(root) as make:
        run_id = run(make(*SHORT, *keys)).run_id
    store = Store.open(root / "mlruns")
    with kept(store, run_id) as files:
        found = Subject(store, find(store, run_id), store.client.get_run(run_id), files)
        yield found._replace(files=dict(files) | worst(found, root))


def worst(found: Subject, root: Path) -> dict[str, Path]:
    """The test examples with the smallest p(true), as raw inputs, where the run has not kept them."""
    if "test/worst.npz" in found.files or "test/predictions.npz" not in found.files:
        return {}
    with np.load(found.files["test/predictions.npz"]) as arrays:
        logits, labels, indices = (torch.from_numpy(arrays[key]) for key in ("logits", "labels", "indices"))
    p_true = logits.log_softmax(dim=1).gather(1, labels[:, None])[:, 0]
    order = p_true.argsort()[:NUM_WORST]
    path = root / "worst.npz"
    labels, logits, indices = labels[order], logits[order], indices[order]
    arrays = {"labels": labels.numpy(), "logits": logits.numpy(), "indices": indices.numpy()}
    np.savez(path, allow_pickle=False, inputs=raw_test(found.job, indices), **arrays)
    return {"test/worst.npz": path}


def raw_test(job: Job, indices: torch.Tensor) -> np.ndarray:
    """Test examples as the files hold them."""
    data = data_of(job.config)
    data.setup(spawn(job.config["seed"], job.config["streams"]))
    (raw,) = data._parts["test"].rows.batches([indices])
    return raw.numpy()
