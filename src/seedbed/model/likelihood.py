"""What logits mean: the one place where they become a loss and probabilities."""

import abc
from typing import final

import torch
from torch.nn import functional

from seedbed.errors import ConfigError
from seedbed.shapes import Labels, Logits, LogProbabilities, Losses


class Likelihood(abc.ABC):
    """A family of distributions of the label, with the logits as its natural parameters.

    Label smoothing gives the true class the weight 1 - s + s/K and every other class s/K, in each
    likelihood alike.
    """

    @abc.abstractmethod
    def num_logits(self, num_classes: int) -> int:
        """Logits that a network must give for this many classes."""

    @abc.abstractmethod
    def nll(self, logits: Logits, labels: Labels, label_smoothing: float = 0.0) -> Losses:
        """Negative log-likelihood in nats, one value an example: what training minimises.

        Args:
            logits: as many columns as `num_logits` says.
            labels: 0 .. K-1.
            label_smoothing: share s of each label that is spread evenly over all classes, in [0, 1).
        """

    @abc.abstractmethod
    def log_probabilities(self, logits: Logits) -> LogProbabilities:
        """Logarithms of probabilities that sum to one over the classes, finite for finite logits."""


@final
class Bernoulli(Likelihood):
    """Two classes, one logit: the log odds of class 1.

    Example:
        >>> Bernoulli().log_probabilities(torch.zeros(1, 1)).exp()
        tensor([[0.5000, 0.5000]])
    """

    def num_logits(self, num_classes: int) -> int:
        """One.

        Raises:
            ConfigError: unless there are two classes.
        """
        if num_classes != 2:
            raise ConfigError(
                "model",
                expected="two classes for a model with one logit, such as logistic",
                got=f"{num_classes} classes",
                do="Choose model=softmax, or data of two classes.",
            )
        return 1

    def nll(self, logits: Logits, labels: Labels, label_smoothing: float = 0.0) -> Losses:
        targets = labels.to(logits.dtype) * (1 - label_smoothing) + label_smoothing / 2
        return functional.binary_cross_entropy_with_logits(logits[:, 0], targets, reduction="none")

    def log_probabilities(self, logits: Logits) -> LogProbabilities:
        return functional.logsigmoid(torch.cat([-logits, logits], dim=1))


@final
class Categorical(Likelihood):
    """K classes, K logits: softmax. A constant added to all logits of an example changes nothing.

    Example:
        >>> Categorical().log_probabilities(torch.zeros(1, 4)).exp()
        tensor([[0.2500, 0.2500, 0.2500, 0.2500]])
    """

    def num_logits(self, num_classes: int) -> int:
        return num_classes

    def nll(self, logits: Logits, labels: Labels, label_smoothing: float = 0.0) -> Losses:
        return functional.cross_entropy(logits, labels, reduction="none", label_smoothing=label_smoothing)

    def log_probabilities(self, logits: Logits) -> LogProbabilities:
        return functional.log_softmax(logits, dim=1)


@final
class OneVsRest(Likelihood):
    """K classes, K independent questions "this class or another?", each with a sigmoid of its own.

    The loss is the sum over the K questions, so that fitting it is fitting K logistic regressions. The
    probabilities are the sigmoids divided by their sum, as in scikit-learn's OneVsRestClassifier: the
    loss is therefore not minus the logarithm of the true class's probability.

    Example:
        >>> OneVsRest().nll(torch.zeros(1, 3), torch.tensor([1]))  # 3 log 2
        tensor([2.0794])
    """

    def num_logits(self, num_classes: int) -> int:
        return num_classes

    def nll(self, logits: Logits, labels: Labels, label_smoothing: float = 0.0) -> Losses:
        num_classes = logits.shape[1]
        truth = functional.one_hot(labels, num_classes).to(logits.dtype)
        targets = truth * (1 - label_smoothing) + label_smoothing / num_classes
        return functional.binary_cross_entropy_with_logits(logits, targets, reduction="none").sum(dim=1)

    def log_probabilities(self, logits: Logits) -> LogProbabilities:
        # Divided in the logarithm: where every sigmoid underflows, their ratios are still exact.
        return functional.log_softmax(functional.logsigmoid(logits), dim=1)
