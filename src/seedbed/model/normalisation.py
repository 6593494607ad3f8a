"""Batch normalisation by the statistics of the whole batch, however many processes share it."""

from typing import Any, final

import torch
import torch.distributed as dist
from torch import Tensor, nn


@final
class BatchNorm(nn.BatchNorm2d):
    """torch's batch normalisation; in training, over the examples of all ranks.

    torch's own SyncBatchNorm takes no tensors on a CPU and Lightning would swap it in only under DDP.
    The statistics are sums of all maps divided by their common count, so unequal shares weigh what
    they hold, and a rank may have none. With gradient accumulation they are those of a micro-batch.

    Source: Ioffe and Szegedy (2015), "Batch normalization: accelerating deep network training by
    reducing internal covariate shift", algorithm 1.
    """

    def forward(self, maps: Tensor) -> Tensor:
        shared = self.training and dist.is_initialized() and dist.get_world_size() > 1
        return self._normalised(maps) if shared else super().forward(maps)

    def _normalised(self, maps: Tensor) -> Tensor:
        wide = maps.to(self.weight.dtype)  # half precision would round the sums
        examples, height, width = maps.shape[0], *maps.shape[2:]
        sums = _summed(torch.cat([_by_channel(wide), wide.new_tensor([examples])]))
        count = sums[-1].detach() * (height * width)
        mean = sums[:-1] / count
        centred = wide - _over_maps(mean)
        # Second, because the difference of two large sums would lose the variance's digits.
        variance = _summed(_by_channel(centred.square())) / count
        self._remember(mean.detach(), variance.detach() * count / (count - 1))
        scale = self.weight * torch.rsqrt(variance + self.eps)
        return torch.addcmul(_over_maps(self.bias), centred, _over_maps(scale)).to(maps.dtype)

    def _remember(self, mean: Tensor, variance: Tensor) -> None:
        """Moves the running statistics; the variance is the unbiased one, as torch has it."""
        assert self.momentum is not None
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        self.num_batches_tracked += 1
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance, self.momentum)


class _Sum(torch.autograd.Function):
    """The sum over the ranks; the gradient of a rank's part is the sum of all ranks' gradients."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:  # noqa: ARG004
        total = values.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:  # noqa: ARG004
        total = gradients[0].clone()
        dist.all_reduce(total)
        return total


def _summed(values: Tensor) -> Tensor:
    total: Tensor = _Sum.apply(values)
    return total


def _by_channel(maps: Tensor) -> Tensor:
    return maps.sum(dim=(0, 2, 3))


def _over_maps(values: Tensor) -> Tensor:
    return values[:, None, None]
