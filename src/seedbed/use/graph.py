"""A fitted model as one graph of tensors: raw inputs in, probabilities out, the preprocessing inside."""

import copy
from typing import final

import torch
from torch import Tensor, nn

from seedbed.data.rows import Raw
from seedbed.predictor import Probabilities
from seedbed.use.trained import Trained


@final
class Graph(nn.Module):
    """What `Predictor.forward` computes, without its look at the shape, which no graph can hold.

    Args:
        model: without a feature map, which is code of scikit-learn.
    """

    def __init__(self, model: Trained) -> None:
        super().__init__()
        predictor = copy.deepcopy(model.predictor)
        self.preprocessing, self.network = predictor.preprocessing, predictor.network
        self.temperature = predictor.temperature
        self.dtype = next(predictor.network.parameters()).dtype
        for tensor in (*self.parameters(), *self.buffers()):
            tensor.data = tensor.data.clone(memory_format=torch.contiguous_format)  # each with its own bytes
        self.eval().requires_grad_(requires_grad=False)

    def forward(self, raw: Raw) -> Probabilities:
        inputs: Tensor = self.preprocessing(raw).to(self.dtype)
        logits = self.network(inputs) / self.temperature
        return self.network.likelihood.log_probabilities(logits).exp()
