"""The likelihoods of many members at once: losses, their slopes, log-probabilities, without autograd.

Beside each other in one tensor, [batch, member, logit]; labels are [batch, member], or [batch, 1]
where all members see the same examples.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor
from torch.nn import functional

from seedbed.model.likelihood import Bernoulli, Categorical, Likelihood, OneVsRest

Logits = Float[Tensor, "batch member logit"]
LogProbabilities = Float[Tensor, "batch member class"]
Labels = Int64[Tensor, "batch #member"]
Truth = Int64[Tensor, "batch #member logit"]
Right = Bool[Tensor, "batch member"]
Losses = Float[Tensor, "batch member"]
Smoothing = Float[Tensor, " member"]


class Loss(NamedTuple):
    """What logits came to.

    Args:
        losses: negative log-likelihood in nats, with smoothed labels: what is minimised.
        slopes: the derivative of their mean by each logit.
        surprises: minus the logarithm of the probability of the true class.
        right: whether the true class is the most probable one.
    """

    losses: Losses
    slopes: Logits
    surprises: Losses
    right: Right


def loss(
    likelihood: Likelihood, logits: Logits, labels: Labels, smoothing: Smoothing, num_examples: int = 1
) -> Loss:
    """Losses and slopes of every member.

    Args:
        likelihood: the same for all.
        logits: as many columns as it says.
        labels: 0 .. K-1.
        smoothing: share of each label that is spread evenly over all classes, in [0, 1), a member.
        num_examples: by which the slopes are divided, as of a mean.
    """
    if isinstance(likelihood, Categorical):
        return _categorical(logits, labels, smoothing, num_examples)
    assert isinstance(likelihood, Bernoulli | OneVsRest)
    num_classes = 2 if isinstance(likelihood, Bernoulli) else logits.shape[-1]
    truth = _truth(likelihood, labels, num_classes).to(logits.dtype)
    targets = truth * (1 - smoothing[:, None]) + smoothing[:, None] / num_classes
    targets = targets.expand_as(logits)
    losses = functional.binary_cross_entropy_with_logits(logits, targets, reduction="none").sum(dim=-1)
    logs = log_probabilities(likelihood, logits)
    places = labels.expand(logits.shape[:-1])
    surprises = -logs.gather(-1, places[..., None])[..., 0]
    slopes = (torch.sigmoid(logits) - targets).div_(num_examples)
    return Loss(losses, slopes, surprises, logs.argmax(dim=-1) == places)


def _truth(likelihood: Likelihood, labels: Labels, num_classes: int) -> Truth:
    """Label of each question: is it class 1, or is it this class?"""
    return labels[..., None] if isinstance(likelihood, Bernoulli) else functional.one_hot(labels, num_classes)


def _categorical(logits: Logits, labels: Labels, smoothing: Smoothing, num_examples: int) -> Loss:
    """Sums over the classes run along members or examples: not along classes, which are few and slow."""
    own = logits.transpose(1, 2)
    if own.stride(1) == 1:
        own = own.contiguous()
    top = own.amax(dim=1)
    powers = (own - top[:, None]).exp_()
    total = powers.sum(dim=1)
    places = labels.expand(len(labels), len(smoothing))[:, None]
    true = own.gather(1, places)[:, 0]
    partition = top + total.log()
    surprises, right = partition - true, true >= top
    slopes, losses = powers.div_((total * num_examples)[:, None]), surprises
    if smoothing.any():
        share = smoothing / own.shape[1]
        losses = surprises * (1 - smoothing) + (partition * own.shape[1] - own.sum(dim=1)) * share
        slopes -= share / num_examples
    slopes.scatter_add_(1, places, ((smoothing - 1) / num_examples).expand_as(places))
    return Loss(losses, slopes.transpose(1, 2), surprises, right)


def log_probabilities(likelihood: Likelihood, logits: Logits) -> LogProbabilities:
    """Logarithms of the probabilities of every member."""
    if isinstance(likelihood, Categorical):
        return functional.log_softmax(logits, dim=-1)
    if isinstance(likelihood, Bernoulli):
        return functional.logsigmoid(torch.cat([-logits, logits], dim=-1))
    return functional.log_softmax(functional.logsigmoid(logits), dim=-1)
