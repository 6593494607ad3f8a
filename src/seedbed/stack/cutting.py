"""Members as one stack, or as several where that is faster."""

import math
from collections.abc import Sequence

from seedbed.stack.member import Member
from seedbed.stack.training import Stack
from seedbed.stopping import Stopping

# Bytes of inputs of one step that a processor's cache holds, and the least number of members all the same.
CACHE_BYTES, FEWEST = 2**22, 4


def stacks_of(members: Sequence[Member], *, shares: bool, stopping: Stopping) -> list[Stack]:
    """One stack; on a CPU, of members with batches of their own, as many as keep these in its cache.

    Args:
        members: of one kind.
        shares: whether all see the same batches.
        stopping: hears the process's signals.
    """
    most = len(members)
    first = members[0].parts.assembly
    if not shares and first.device.type == "cpu":
        batch_size = min(members[0].loader.batch_size, members[0].loader.num_examples)
        weight = next(first.classifier.network.parameters())
        one = batch_size * math.prod(first.data.facts.input_shape) * weight.element_size()
        most = max(FEWEST, CACHE_BYTES // one)
    return [
        Stack(part, shares=shares, stopping=stopping)
        for part in (members[begin : begin + most] for begin in range(0, len(members), most))
    ]
