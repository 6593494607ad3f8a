"""What a run keeps of the split it was judged on: every example's logits, and the worst with their inputs.

From this its pictures are drawn, long after its data has gone elsewhere.
"""

import shutil
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int64
from numpy.typing import NDArray

from seedbed.assembly import Assembly
from seedbed.data.loader import Loader
from seedbed.track.record import Record

# Examples that are kept with their inputs; and of a table of two columns, which is a plane.
NUM_WORST, NUM_POINTS = 25, 2_000
Predictions = dict[str, NDArray[Any]]


def loader_of(assembly: Assembly, split: str) -> Loader | None:
    """The loader of `val` or `test`, in file order; None where there is no such split."""
    data = assembly.data
    return data.test_dataloader() if split == "test" else data.val_dataloader()


def predictions(assembly: Assembly, split: str) -> Predictions:
    """Logits, label and index of every example of a split, in file order, from all ranks.

    Args:
        assembly: whose classifier has just been through the split.
        split: val or test.
    """
    classifier, loader = assembly.classifier, loader_of(assembly, split)
    assert loader is not None
    shares = classifier.seat.gathered([[part.cpu() for part in parts] for parts in classifier.test_outputs])
    batches = [batch for share in shares for batch in share]
    logits, labels, indices = (torch.cat(parts).numpy() for parts in zip(*batches, strict=True))
    if not classifier.seat.alone:
        rows = {index: row for row, index in enumerate(indices.tolist())}
        order = [rows[index] for index in loader.sampler.indices().tolist()]
        logits, labels, indices = logits[order], labels[order], indices[order]
    return {"logits": logits, "labels": labels, "indices": indices}


def keep(record: Record, assembly: Assembly, split: str, found: Predictions) -> None:
    """Predictions and worst examples become artifacts of the split's own folder.

    Args:
        record: the run's.
        assembly: the parts.
        split: val or test.
        found: from `predictions`.
    """
    folder = record.folder / "evaluated"
    shutil.rmtree(folder, ignore_errors=True)  # what waits for the store may be links to an earlier one
    folder.mkdir()
    np.savez(folder / "predictions.npz", allow_pickle=False, **found)
    likelihood = assembly.classifier.network.likelihood
    log_probabilities = likelihood.log_probabilities(torch.from_numpy(found["logits"])).numpy()
    worst = worst_first(log_probabilities, found["labels"])[:NUM_WORST]
    np.savez(folder / "worst.npz", allow_pickle=False, **_with_inputs(assembly, split, found, worst))
    if len(assembly.data.column_names) == 2:
        first = _with_inputs(assembly, split, found, np.arange(min(NUM_POINTS, len(found["labels"]))))
        columns = np.array(assembly.data.column_names)
        np.savez(folder / "points.npz", allow_pickle=False, columns=columns, **first)
    record.log_folder(folder, split)
    shutil.rmtree(folder)


def _with_inputs(assembly: Assembly, split: str, found: Predictions, places: NDArray[Any]) -> Predictions:
    """These examples with their raw inputs, as the data's files hold them."""
    some = {name: values[places] for name, values in found.items()}
    raw = assembly.data.raw_of(split, torch.from_numpy(some["indices"]))
    return {"inputs": raw.cpu().numpy(), **some}


def worst_first(
    log_probabilities: Float[np.ndarray, "example class"], labels: Int64[np.ndarray, " example"]
) -> Int64[np.ndarray, " example"]:
    """Places of all examples: those taken for another class first; each group by p(true), lowest first.

    Example:
        >>> worst_first(np.log([[0.6, 0.4], [0.1, 0.9], [0.7, 0.3], [0.5, 0.5]]), np.array([0, 0, 1, 0]))
        array([1, 2, 3, 0])
    """
    true = log_probabilities[np.arange(len(labels)), labels]
    right = log_probabilities.argmax(axis=1) == labels
    return np.lexsort((np.nan_to_num(true, nan=-np.inf), right))
