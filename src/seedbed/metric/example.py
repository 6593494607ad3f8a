"""What one example contributes to a mean: float64, whatever the network computed in."""

import torch
from torch.nn import functional

from seedbed.shapes import Labels, LogProbabilities, Losses


def negative_log_likelihood(log_probabilities: LogProbabilities, labels: Labels) -> Losses:
    """-log p of the true class in nats, an example; 0 is best, infinite where p = 0.

    The same for every model: the K sigmoids of one-vs-rest are normalised first, as softmax is.

    Example:
        >>> negative_log_likelihood(torch.tensor([[0.25, 0.75]]).log(), torch.tensor([1])).exp()
        tensor([1.3333], dtype=torch.float64)
    """
    return -log_probabilities.gather(1, labels[:, None]).squeeze(1).double()


def top5(log_probabilities: LogProbabilities, labels: Labels) -> Losses:
    """1 where the true class is among the five most probable, else 0.

    Of equally probable classes the first counts as the more probable, as for `argmax`.
    """
    own = log_probabilities.gather(1, labels[:, None])
    classes = torch.arange(log_probabilities.shape[1], device=labels.device)
    tied_before = (log_probabilities == own) & (classes < labels[:, None])
    return (((log_probabilities > own) | tied_before).sum(dim=1) < 5).double()


def brier(log_probabilities: LogProbabilities, labels: Labels) -> Losses:
    """Sum over the classes of (p - y)^2, y the one-hot label: 0 is best, 2 is worst.

    Source: Brier (1950), "Verification of forecasts expressed in terms of probability", with the sum
    over all classes: twice the one-column form that is usual for two classes.

    Example:
        >>> brier(torch.tensor([[0.25, 0.75]]).log(), torch.tensor([1]))
        tensor([0.1250], dtype=torch.float64)
    """
    truth = functional.one_hot(labels, log_probabilities.shape[1])
    return (log_probabilities.double().exp() - truth).square().sum(dim=1)
