"""What training minimises, in shares that any number of processes can add up."""

from typing import NamedTuple

from torch import Tensor

from seedbed.model.network import Network
from seedbed.optim.penalty import penalty
from seedbed.shapes import Labels, Logits


class Objective(NamedTuple):
    """mean NLL + l1 ||W||_1 + (l2 / 2) ||W||_2^2, biases free; labels smoothed in the NLL only."""

    l1: float = 0.0
    l2: float = 0.0
    label_smoothing: float = 0.0

    def share(
        self, network: Network, logits: Logits, labels: Labels, *, num_examples: int, num_shares: int = 1
    ) -> Tensor:
        """What these examples add to the objective of their batch, in nats, a scalar.

        The shares of a batch sum up to its objective and their gradients to its gradient, however
        unequal they are; a share of no example holds its part of the penalty.

        Args:
            network: whose weights are penalised and whose likelihood gives the logits their meaning.
            logits: of the share's examples, which may be none.
            labels: their classes.
            num_examples: examples of the whole batch.
            num_shares: into how many shares the batch is cut.
        """
        loss = network.likelihood.nll(logits, labels, self.label_smoothing).sum() / num_examples
        if self.l1 or self.l2:
            loss = loss + penalty(network.penalised(), self.l1, self.l2) / num_shares
        return loss
