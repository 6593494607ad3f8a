"""A network dealt out over processes: each holds a part of every weight, and gathers them to compute."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn
from torch.distributed.device_mesh import DeviceMesh

from seedbed.model.network import Network


def deal_out(network: Network, mesh: DeviceMesh) -> None:
    """Leaves each process a part of every weight; what is dealt out already stays as it is.

    Args:
        network: with whole weights, the same on every process.
        mesh: the processes.
    """
    from torch.distributed.fsdp import fully_shard  # half a second that no other run pays

    if is_dealt_out(network):
        return
    for parameter in network.parameters():
        parameter.data = parameter.data.contiguous()  # a part of a weight has no other layout
    for layer in list(network.modules())[1:]:
        if next(layer.parameters(recurse=False), None) is not None:
            fully_shard(layer, mesh=mesh)
    fully_shard(network, mesh=mesh)


def is_dealt_out(network: Network) -> bool:
    """Whether this process has only a part of the weights."""
    return any(map(_is_part, network.parameters()))


def whole(module: nn.Module) -> dict[str, Any]:
    """All weights and buffers, whole; where they are dealt out, all processes must ask for them."""
    return {name: whole_tensor(value) for name, value in module.state_dict().items()}


def put(module: nn.Module, state: Mapping[str, Any]) -> None:
    """Sets all weights and buffers.

    Args:
        module: dealt out or not.
        state: whole, the same on every process.
    """
    held = module.state_dict()
    module.load_state_dict({name: dealt(value, held.get(name)) for name, value in state.items()})


def whole_tensor(value: Any) -> Any:
    """The tensor of which this process has a part, on the CPU; anything else as it is."""
    return value.full_tensor().cpu() if _is_part(value) else value


def dealt(value: Any, held: Tensor | None) -> Any:
    """This process's part of a whole tensor, as it has one of another of the same shape."""
    if held is None or not _is_part(held):
        return value
    from torch.distributed.tensor import DTensor, distribute_tensor

    assert isinstance(held, DTensor)
    part = value.to(held.to_local().device)
    return distribute_tensor(part, held.device_mesh, held.placements, src_data_rank=None)


def _is_part(value: Any) -> bool:
    """Whether it is one of torch's distributed tensors; told without importing them."""
    return hasattr(value, "full_tensor")
