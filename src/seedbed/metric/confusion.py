"""Counts of (true class, predicted class), and what follows from the counts alone."""

import torch
from jaxtyping import Int64
from torch import Tensor
from torchmetrics import Metric

from seedbed.shapes import Labels, LogProbabilities

Counts = Int64[Tensor, "class class"]


class Confusion(Metric):
    """Confusion matrix: row the true class, column the most probable one.

    torchmetrics counts with a table of (examples, classes squared) as soon as deterministic
    algorithms are on, which is our default: 655 MB a chunk at 100 classes. Hence this one.

    Args:
        num_classes: two or more.
    """

    full_state_update = False
    counts: Tensor

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.num_classes = num_classes
        zeros = torch.zeros(num_classes, num_classes, dtype=torch.int64)
        self.add_state("counts", default=zeros, dist_reduce_fx="sum")

    def update(self, log_probabilities: LogProbabilities, labels: Labels) -> None:
        cells = labels * self.num_classes + log_probabilities.argmax(dim=1)
        new = torch.bincount(cells, minlength=self.num_classes**2)
        self.counts = self.counts + new.view(self.num_classes, self.num_classes)

    def compute(self) -> Counts:
        return self.counts


def accuracy(counts: Counts) -> float:
    """Share of the examples whose most probable class is the true one."""
    return int(counts.diagonal().sum()) / int(counts.sum())


def macro_f1(counts: Counts) -> float:
    """Mean over the classes of the harmonic mean of precision and recall.

    A class that is neither among the labels nor among the predictions has no F1 score and is left
    out of the mean; one that only occurs in one of the two has the score 0.

    Example:
        >>> macro_f1(torch.tensor([[2, 0, 0], [1, 1, 0], [0, 0, 0]]))  # mean of 4/5 and 2/3
        0.7333333333333334
    """
    hits = counts.diagonal().double()
    labelled_or_predicted = counts.sum(dim=0) + counts.sum(dim=1)
    present = labelled_or_predicted > 0
    return float((2 * hits[present] / labelled_or_predicted[present]).mean())


def label_entropy(counts: Counts) -> float:
    """Entropy of the classes' shares among the labels in nats: the loss of who knows these shares alone.

    Example:
        >>> label_entropy(torch.tensor([[1, 1], [2, 0]]))
        0.6931471805599453
    """
    shares = counts.sum(dim=1).double() / counts.sum()
    return float(torch.special.entr(shares).sum())
