"""Where a network has put examples before its last layer: their first principal components, for pictures.

Kept when a run ends, because a picture is made from the record alone, without any data file.
"""

from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor, nn

from seedbed.assembly import Assembly
from seedbed.model.hashed import HashedLogistic
from seedbed.model.linear import Linear
from seedbed.model.network import Network
from seedbed.shapes import Batch, Inputs, Logits
from seedbed.track.record import Record

MOST_EXAMPLES, MOST_COMPONENTS = 2_000, 50
FILE = "embedding.npz"

Units = Float[np.ndarray, "example unit"]


class Components(NamedTuple):
    """Rows along the directions in which they vary most.

    Args:
        scores: one row an example, one column a component, centred; the first varies most.
        shares: of the total variance, one a component, in [0, 1]; 0 where nothing varies.
    """

    scores: Float[np.ndarray, "example component"]
    shares: Float[np.ndarray, " component"]


def keep_embedding(assembly: Assembly, record: Record, split: str) -> None:
    """Keeps `test/embedding.npz`, or `val/embedding.npz` where the run has not read its test split.

    The test split's examples are those that the run has just been evaluated on, with the same weights, so
    this is no further read of it.

    Args:
        assembly: whose classifier has its final weights, whole.
        record: the run's.
        split: test or val.
    """
    arrays = embedded(assembly, split)
    if arrays is None:
        return
    path = record.folder / FILE
    path.unlink(missing_ok=True)  # what waits for the store may be a link to an earlier one
    np.savez(path, allow_pickle=False, **arrays)
    record.log_file(path, split)
    path.unlink()


def embedded(assembly: Assembly, split: str) -> dict[str, NDArray[Any]] | None:
    """What is kept of a split: components, their shares, labels, predictions, indices.

    None of a linear model, whose units are its inputs, nor where there is no such split.

    Args:
        assembly: whose classifier has its final weights, whole.
        split: test or val.
    """
    network, size = assembly.classifier.network, assembly.data.num_examples(split)
    if isinstance(network, Linear | HashedLogistic) or not size:
        return None
    batches, units, logits = [], [], []
    for batch in assembly.data.spread(split, MOST_EXAMPLES):
        before_last, output = penultimate(network, batch.inputs)
        batches.append(batch._replace(inputs=batch.inputs[:0]))
        units.append(before_last.to("cpu", torch.float64))
        logits.append(output)
    rows = torch.cat(units).numpy()
    if not np.isfinite(rows).all():  # of a network that has run away there is nothing to draw
        return None
    return _arrays(batches, torch.cat(logits), principal_components(rows), size, rows.shape[1])


def _arrays(
    batches: list[Batch], logits: Logits, found: Components, size: int, num_units: int
) -> dict[str, NDArray[Any]]:
    return {
        "components": found.scores.astype(np.float32),
        "shares": found.shares,
        "labels": torch.cat([batch.labels for batch in batches]).cpu().numpy(),
        "predictions": logits.argmax(dim=1).cpu().numpy(),
        "indices": torch.cat([batch.indices for batch in batches]).cpu().numpy(),
        "num_units": np.array(num_units),
        "num_examples": np.array(size),
    }


def penultimate(network: Network, inputs: Inputs) -> tuple[Float[Tensor, "batch unit"], Logits]:
    """What the last linear layer sees of each example in evaluation, and the logits.

    Args:
        network: with a linear layer, the last of which gives the logits.
        inputs: a batch.
    """
    *_, last = (part for part in network.modules() if isinstance(part, nn.Linear))
    seen: list[Tensor] = []
    hook = last.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    training = network.training
    network.eval()
    try:
        with torch.no_grad():
            logits: Logits = network.forward(inputs)  # not its call, which may be compiled without the hook
    finally:
        hook.remove()
        network.train(training)
    return seen[0], logits


def principal_components(rows: Units, most: int = MOST_COMPONENTS) -> Components:
    """Centred rows along their principal directions.

    By an eigendecomposition of the smaller of the two matrices of inner products. The sign of a direction
    is free: here its largest entry is positive.

    Args:
        rows: one an example, one or more.
        most: components that are kept, of at most as many as there are examples or columns.

    Source: Pearson (1901), "On lines and planes of closest fit to systems of points in space".
    """
    centred = rows - rows.mean(axis=0)
    wide = centred.shape[1] > centred.shape[0]
    variances, vectors = np.linalg.eigh(centred @ centred.T if wide else centred.T @ centred)
    order = np.argsort(variances)[::-1][:most]
    variances, vectors = variances[order].clip(min=0), vectors[:, order]
    if wide:  # directions of the columns, from those of the examples
        lengths = np.sqrt(variances)
        vectors = np.divide(
            centred.T @ vectors, lengths, out=np.zeros((rows.shape[1], len(order))), where=lengths > 0
        )
    largest = np.take_along_axis(vectors, np.abs(vectors).argmax(axis=0)[None], axis=0)
    scores = centred @ (vectors * np.where(largest < 0, -1, 1))
    total = (centred**2).sum()
    return Components(scores, variances / total if total > 0 else np.zeros(len(order)))
