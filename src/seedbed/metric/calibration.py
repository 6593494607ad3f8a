"""Does what is said with 80 % confidence come true 8 times in 10?"""

import torch
from jaxtyping import Float64
from torch import Tensor
from torchmetrics import Metric

from seedbed.shapes import Labels, LogProbabilities

NUM_BINS = 15


class CalibrationError(Metric):
    """Expected calibration error: mean over the examples of their bin's |accuracy - confidence|.

    Confidence is the probability of the predicted class; the 15 bins ((m-1)/15, m/15] are of equal
    width. torchmetrics gives a confidence of exactly 1, common in float32, a sixteenth bin of its own
    and keeps every prediction; this one closes the last bin and keeps three sums a bin.

    Source: Guo, Pleiss, Sun and Weinberger (2017), "On calibration of modern neural networks", eq. 3.
    """

    full_state_update = False
    sums: Tensor

    def __init__(self) -> None:
        super().__init__()
        # Rows: number of examples, sum of their confidences, number of right predictions.
        zeros = torch.zeros(3, NUM_BINS, dtype=torch.float64)
        self.add_state("sums", default=zeros, dist_reduce_fx="sum")

    def update(self, log_probabilities: LogProbabilities, labels: Labels) -> None:
        best, predictions = log_probabilities.double().max(dim=1)
        confidences = best.exp()
        rows = torch.stack([torch.ones_like(best), confidences, (predictions == labels).double()])
        inner = torch.arange(1, NUM_BINS, device=best.device, dtype=best.dtype) / NUM_BINS
        self.sums = self.sums.index_add(1, torch.bucketize(confidences, inner), rows)

    def compute(self) -> Float64[Tensor, ""]:
        counts, confidences, hits = self.sums
        error: Tensor = (hits - confidences).abs().sum() / counts.sum()
        return error
