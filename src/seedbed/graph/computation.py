"""What training minimises, in modules: a graph is folded by them."""

from collections.abc import Sequence
from typing import final

from torch import Tensor, nn

from seedbed.model.likelihood import Likelihood
from seedbed.model.network import Network
from seedbed.objective import Objective
from seedbed.optim.penalty import penalty
from seedbed.shapes import Inputs, Keys, Labels, Logits


@final
class Nll(nn.Module):
    """The mean negative log-likelihood of a batch, in nats."""

    def __init__(self, likelihood: Likelihood, label_smoothing: float) -> None:
        super().__init__()
        self.likelihood, self.label_smoothing = likelihood, label_smoothing

    def forward(self, logits: Logits, labels: Labels) -> Tensor:
        return self.likelihood.nll(logits, labels, self.label_smoothing).sum() / len(labels)


@final
class Penalty(nn.Module):
    """The price of large weights; 0 and of no weight where it costs nothing."""

    def __init__(self, l1: float, l2: float) -> None:
        super().__init__()
        self.l1, self.l2 = l1, l2

    def forward(self, weights: Sequence[Tensor]) -> Tensor:
        return penalty(weights, self.l1, self.l2)


@final
class Minimised(nn.Module):
    """NLL + penalty: the same number as `Objective.share` of a whole batch."""

    def __init__(self, likelihood: Likelihood, objective: Objective) -> None:
        super().__init__()
        self.nll = Nll(likelihood, objective.label_smoothing)
        self.penalty = Penalty(objective.l1, objective.l2)

    def forward(self, logits: Logits, labels: Labels, weights: Sequence[Tensor]) -> Tensor:
        total: Tensor = self.nll(logits, labels) + self.penalty(weights)
        return total


@final
class Probability(nn.Module):
    """Probabilities of the classes, of class 1 alone where there is one logit; no loss is made of them."""

    def __init__(self, likelihood: Likelihood) -> None:
        super().__init__()
        self.likelihood = likelihood

    def forward(self, logits: Logits) -> Tensor:
        return self.likelihood.log_probabilities(logits).exp()[:, -logits.shape[1] :]


@final
class Computation(nn.Module):
    """From a batch to its objective, with the probabilities beside it.

    Args:
        network: inputs to logits.
        objective: what is minimised beside the NLL.
    """

    def __init__(self, network: Network, objective: Objective) -> None:
        super().__init__()
        self.network = network
        self.probability = Probability(network.likelihood)
        self.objective = Minimised(network.likelihood, objective)

    def forward(self, inputs: Inputs, labels: Labels, keys: Keys | None) -> tuple[Tensor, Tensor]:
        logits: Logits = self.network(inputs, keys)
        objective: Tensor = self.objective(logits, labels, tuple(self.network.penalised()))
        return objective, self.probability(logits)
