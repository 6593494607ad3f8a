"""The likelihoods of many members at once: losses, their slopes, log-probabilities, without autograd.

Beside each other in one tensor, [batch, member, logit]; labels are [batch, member], or [batch, 1]
where all members see the same examples.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn import functional

from seedbed.model.likelihood import Bernoulli, Categorical, Likelihood, OneVsRest

Logits = Float[Tensor, "batch member logit"]
LogProbabilities = Float[Tensor, "batch member class"]
Labels = Int64[Tensor, "batch #member"]
Truth = Int64[Tensor, "batch #member logit"]
Losses = Float[Tensor, "batch member"]
Smoothing = Float[Tensor, " member"]


class Loss(NamedTuple):
    """What logits came to.

    Args:
        losses: negative log-likelihood in nats, with smoothed labels: what is minimised.
        slopes: its derivative by each logit.
        log_probabilities: normalised over the classes.
    """

    losses: Losses
    slopes: Logits
    log_probabilities: LogProbabilities


def loss(likelihood: Likelihood, logits: Logits, labels: Labels, smoothing: Smoothing) -> Loss:
    """Losses and slopes of every member.

    Args:
        likelihood: the same for all.
        logits: as many columns as it says.
        labels: 0 .. K-1.
        smoothing: share of each label that is spread evenly over all classes, in [0, 1), a member.
    """
    if isinstance(likelihood, Categorical):
        return _categorical(logits, labels, smoothing)
    assert isinstance(likelihood, Bernoulli | OneVsRest)
    num_classes = 2 if isinstance(likelihood, Bernoulli) else logits.shape[-1]
    truth = _truth(likelihood, labels, num_classes).to(logits.dtype)
    targets = truth * (1 - smoothing[:, None]) + smoothing[:, None] / num_classes
    targets = targets.expand_as(logits)
    losses = functional.binary_cross_entropy_with_logits(logits, targets, reduction="none").sum(dim=-1)
    return Loss(losses, torch.sigmoid(logits) - targets, log_probabilities(likelihood, logits))


def _truth(likelihood: Likelihood, labels: Labels, num_classes: int) -> Truth:
    """Label of each question: is it class 1, or is it this class?"""
    return labels[..., None] if isinstance(likelihood, Bernoulli) else functional.one_hot(labels, num_classes)


def _categorical(logits: Logits, labels: Labels, smoothing: Smoothing) -> Loss:
    """Without smoothing for all, which needs no sum over the classes, or with it."""
    logs = functional.log_softmax(logits, dim=-1)
    places = labels.expand(logits.shape[:-1])[..., None]
    own = -logs.gather(-1, places)[..., 0]
    slopes = logs.exp()
    if not smoothing.any():
        slopes.scatter_add_(-1, places, slopes.new_full((1, 1, 1), -1.0).expand_as(places))
        return Loss(own, slopes, logs)
    share = smoothing / logits.shape[-1]
    losses = own * (1 - smoothing) - logs.sum(dim=-1) * share
    slopes = slopes - share[:, None]
    slopes.scatter_add_(-1, places, (smoothing - 1)[:, None].expand_as(places))
    return Loss(losses, slopes, logs)


def log_probabilities(likelihood: Likelihood, logits: Logits) -> LogProbabilities:
    """Logarithms of the probabilities of every member."""
    if isinstance(likelihood, Categorical):
        return functional.log_softmax(logits, dim=-1)
    if isinstance(likelihood, Bernoulli):
        return functional.logsigmoid(torch.cat([-logits, logits], dim=-1))
    return functional.log_softmax(functional.logsigmoid(logits), dim=-1)
