"""Preprocessing: raw pixels or table rows become the inputs of a network."""

from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from seedbed.data.rows import Raw, chunk_size
from seedbed.data.source import Part
from seedbed.shapes import Inputs

Constant = Float[Tensor, "..."]


@final
class Preprocessing(nn.Module):
    """(raw / scale - mean) / sd, in the dtype of the three buffers.

    Raw inputs of a wider type than the buffers are only rounded at the end. `Preprocessing(**state)`
    rebuilds one from its `state_dict()`.

    Args:
        scale: raw value that becomes 1, broadcastable against one example; above 0.
        mean: subtracted a channel or column, after scaling.
        sd: divided by a channel or column, after scaling; above 0.

    Example:
        >>> eight_bit = Preprocessing(torch.tensor([255.0]), torch.tensor([0.5]), torch.tensor([0.5]))
        >>> eight_bit(torch.tensor([[0], [255]], dtype=torch.uint8))
        tensor([[-1.],
                [ 1.]])
    """

    scale: Tensor
    mean: Tensor
    sd: Tensor

    def __init__(self, scale: Constant, mean: Constant, sd: Constant) -> None:
        super().__init__()
        self.register_buffer("scale", scale)
        self.register_buffer("mean", mean)
        self.register_buffer("sd", sd)
        # Decided once: a pass over the batch that changes nothing would cost as much as one that does.
        self._standardizes = bool((mean != 0).any() or (sd != 1).any())

    def forward(self, raw: Raw) -> Inputs:
        """Network inputs of the same shape as `raw`."""
        wide = torch.promote_types(raw.dtype, self.scale.dtype)
        # In place, where the batch is a new one of ours: each further one of its size costs more than
        # the arithmetic, because the allocator gives such blocks back to the system and asks again.
        scaled = raw / self.scale if raw.dtype == wide else raw.to(wide).div_(self.scale)
        if self._standardizes:
            scaled = scaled.sub_(self.mean).div_(self.sd)
        return scaled.to(self.mean.dtype)


def fitted(train: Part, *, full_scale: float, standardize: bool, centred: bool = False) -> Preprocessing:
    """Preprocessing in float64, with statistics of the training split alone.

    Args:
        train: the training split.
        full_scale: raw value that becomes 1: 255 for eight-bit images, 1 for tables.
        standardize: subtract the mean and divide by the population standard deviation a channel or
            column, where a constant one is only centred; else only the scale is applied.
        centred: subtract the mean of each pixel instead of the channel's.
    """
    scale = torch.full((1,), full_scale, dtype=torch.float64)
    mean, sd = torch.zeros_like(scale), torch.ones_like(scale)
    if standardize:
        mean, raw_sd = train.rows.mean_and_sd(train.indices)
        sd = torch.where(raw_sd == 0, 1.0, raw_sd / scale)
    if centred:
        mean = _mean_of_each(train)
    return Preprocessing(scale, mean / scale, sd)


def _mean_of_each(train: Part) -> Constant:
    """The mean of each pixel, in raw units; sums of whole numbers, so exact in any order."""
    chunks = torch.split(train.indices, chunk_size(train.rows.shape))
    total = sum(raw.sum(0, dtype=torch.float64) for raw in train.rows.batches(chunks))
    assert isinstance(total, Tensor)  # a split has an example
    return total / len(train.indices)
