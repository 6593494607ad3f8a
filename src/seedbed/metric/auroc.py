"""Area under the ROC curve, exact and with ties counted half."""

import numpy as np
import torch
from jaxtyping import Bool, Float64
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat

from seedbed.shapes import Labels, LogProbabilities

Scores = Float64[Tensor, " _"]


class Auroc(Metric):
    """Mean over the classes of the area under the one-against-the-rest ROC curve.

    A class without an example, or without an example of another class, has no area and is left out
    of the mean; where no class has one, the mean is NaN. (torchmetrics warns and counts 0 instead.)
    """

    full_state_update = False
    log_probabilities: list[Tensor]
    labels: list[Tensor]

    def __init__(self) -> None:
        super().__init__()
        self.add_state("log_probabilities", default=[], dist_reduce_fx="cat")
        self.add_state("labels", default=[], dist_reduce_fx="cat")

    def update(self, log_probabilities: LogProbabilities, labels: Labels) -> None:
        # One dtype, because a rank without examples must send the same kind of tensor as the others.
        self.log_probabilities.append(log_probabilities.double())
        self.labels.append(labels)

    def compute(self) -> Float64[Tensor, ""]:
        scores, labels = dim_zero_cat(self.log_probabilities), dim_zero_cat(self.labels)
        order, num_classes = labels.argsort(), scores.shape[1]
        columns = scores[order].t().contiguous()  # a class's examples then lie together
        counts = torch.bincount(labels, minlength=num_classes).tolist()
        parts = (torch.split(column, counts) for column in columns)
        areas = torch.stack(
            [_share(part[k], torch.cat(part[:k] + part[k + 1 :])) for k, part in enumerate(parts)]
        )
        return areas[~areas.isnan()].mean()


def area(scores: Float64[Tensor, " batch"], positive: Bool[Tensor, " batch"]) -> Float64[Tensor, ""]:
    """Share of the (positive, negative) pairs that the score puts in the right order.

    Pairs are counted (doubled, because ties count half), hence no rounding before the last division;
    any increasing function of the probability, such as its logarithm, gives the same.

    Source: Mann and Whitney (1947); Hanley and McNeil (1982), "The meaning and use of the area under
    a receiver operating characteristic (ROC) curve".

    Example:
        >>> area(torch.tensor([0.1, 0.4, 0.4, 0.8]).double(), torch.tensor([False, False, True, True]))
        tensor(0.8750, dtype=torch.float64)
    """
    return _share(scores[positive], scores[~positive])


def _share(own: Scores, others: Scores) -> Float64[Tensor, ""]:
    own, others = _sorted(own), _sorted(others)
    below, not_above = (torch.searchsorted(others, own, right=right) for right in (False, True))
    doubled_wins, num_pairs = (below + not_above).sum(), len(own) * len(others)
    share: Tensor = doubled_wins.double() / (2 * num_pairs)
    return share


def _sorted(values: Scores) -> Scores:
    """In rising order; on a CPU by NumPy, which takes a tenth of torch's time."""
    return values.sort().values if values.is_cuda else torch.from_numpy(np.sort(values.numpy()))
