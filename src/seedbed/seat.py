"""This process among those that train one model together."""

from typing import NamedTuple, TypeVar

import torch
import torch.distributed as dist

Value = TypeVar("Value")


class Seat(NamedTuple):
    """One rank of a process group; alone, nothing here communicates.

    Every method is a collective: all ranks call it, in the same order.

    Args:
        rank: this process, 0 <= rank < world_size.
        world_size: processes that share each batch.
        local_rank: this process among those of its machine; the number of its device.
    """

    rank: int = 0
    world_size: int = 1
    local_rank: int = 0

    @property
    def first(self) -> bool:
        """Whether this is the rank that writes to the record."""
        return self.rank == 0

    @property
    def alone(self) -> bool:
        return self.world_size == 1

    def shared(self, value: Value) -> Value:
        """The first rank's value, which must pickle, on every rank."""
        if self.alone:
            return value
        held: list[Value] = [value]
        dist.broadcast_object_list(held, src=0)
        return held[0]

    def gathered(self, value: Value) -> list[Value]:
        """Every rank's value, which must pickle, by rank, on every rank."""
        if self.alone:
            return [value]
        held: list[Value] = [value] * self.world_size
        dist.all_gather_object(held, value)
        return held

    def summed(self, values: torch.Tensor) -> torch.Tensor:
        """The sum over the ranks, elementwise; `values` itself where there is one rank."""
        if self.alone:
            return values
        total = values.clone()
        dist.all_reduce(total)
        return total

    def largest(self, number: int) -> int:
        """The largest of the ranks' numbers; cheap enough for every step."""
        if self.alone:
            return number
        held = torch.tensor(number, device="cuda" if dist.get_backend() == "nccl" else "cpu")
        dist.all_reduce(held, dist.ReduceOp.MAX)
        return int(held)
