"""What training minimises, in shares that any number of processes can add up."""

from typing import NamedTuple

import torch
from torch import Tensor

from seedbed.model.network import Network
from seedbed.optim.penalty import penalty
from seedbed.shapes import Batch, Logits


class Objective(NamedTuple):
    """mean NLL + l1 ||W||_1 + (l2 / 2) ||W||_2^2, biases free; labels smoothed in the NLL only."""

    l1: float = 0.0
    l2: float = 0.0
    label_smoothing: float = 0.0

    def share(self, network: Network, logits: Logits, batch: Batch, num_shares: int = 1) -> Tensor:
        """What these examples add to the objective of the batch that they are a share of, a scalar.

        The shares of a batch sum up to its objective and their gradients to its gradient, however
        unequal they are; a share of no example holds its part of the penalty.

        Args:
            network: whose weights are penalised and whose likelihood gives the logits their meaning.
            logits: of the share's examples.
            batch: the share's examples, which may be none, and the number of all.
            num_shares: into how many shares the batch is cut.
        """
        loss = network.likelihood.nll(logits, batch.labels, self.label_smoothing).sum() / batch.num_examples
        if self.l1 or self.l2:
            loss = loss + penalty(network.penalised(), self.l1, self.l2) / num_shares
        return loss


def micro_batches(batch: Batch, count: int) -> list[Batch]:
    """The batch in so many parts, equal but for an example; where there are too few, some are empty."""
    if count == 1:
        return [batch]
    inputs, labels, indices = (torch.tensor_split(column, count) for column in batch[:3])
    parts = zip(inputs, labels, indices, strict=True)
    return [Batch(*part, num_examples=batch.num_examples) for part in parts]
