"""The mean of one number an example, summed in double precision wherever it lies."""

from typing import final

import torch
from jaxtyping import Float64
from torch import Tensor
from torchmetrics import Metric


@final
class Mean(Metric):
    """Mean over the examples; NaN where one of them is NaN.

    torchmetrics' own rounds every number to 32 bits once it was moved to a device, be it the same.
    """

    full_state_update = False
    sums: Tensor

    def __init__(self) -> None:
        super().__init__()
        # The sum of the numbers, and how many they are.
        self.add_state("sums", default=torch.zeros(2, dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, values: Float64[Tensor, " batch"]) -> None:
        self.sums = self.sums + torch.stack([values.sum(), torch.ones_like(values).sum()])

    def compute(self) -> Float64[Tensor, ""]:
        total, count = self.sums
        mean: Tensor = total / count
        return mean
