"""Processes that each hold a part of every weight, in Lightning's terms."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, final

from pytorch_lightning.strategies import ModelParallelStrategy
from torch import Tensor
from torch.optim import Optimizer

from seedbed.model.sharding import dealt, put, whole, whole_tensor


@final
class Sharded(ModelParallelStrategy):
    """Lightning's strategy for `fully_shard`, whose checkpoints are those of a single process.

    Lightning itself numbers the optimiser's state in the order of the network's parameters, and a
    single process in the order of the groups that the optimiser was given: neither could go on from
    the other's checkpoint.

    Args:
        world_size: number of processes.
    """

    def __init__(self, world_size: int) -> None:
        super().__init__(world_size, tensor_parallel_size=1, save_distributed_checkpoint=False)

    @property
    def lightning_restore_optimizer(self) -> bool:
        return True

    def lightning_module_state_dict(self) -> dict[str, Any]:
        assert self.lightning_module is not None
        return whole(self.lightning_module)

    def optimizer_state(self, optimizer: Optimizer) -> dict[str, Any]:
        state = optimizer.state_dict()
        slots = {
            number: {name: whole_tensor(value) for name, value in slot.items()}
            for number, slot in state["state"].items()
        }
        return {**state, "state": slots}

    def load_checkpoint(
        self, checkpoint_path: str | Path, weights_only: bool | None = None
    ) -> dict[str, Any]:
        # Not as the parent does, which lets one process read and send to the others what is theirs.
        return self.checkpoint_io.load_checkpoint(checkpoint_path, weights_only=weights_only)

    def load_model_state_dict(self, checkpoint: Mapping[str, Any], strict: bool = True) -> None:  # noqa: ARG002
        assert self.lightning_module is not None
        put(self.lightning_module, checkpoint["state_dict"])

    def load_optimizer_state_dict(self, checkpoint: Mapping[str, Any]) -> None:
        for optimizer, state in zip(self.optimizers, checkpoint["optimizer_states"], strict=True):
            parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
            slots = {
                number: {name: _dealt(value, parameters[number]) for name, value in slot.items()}
                for number, slot in state["state"].items()
            }
            optimizer.load_state_dict({**state, "state": slots})


def _dealt(value: Any, parameter: Tensor) -> Any:
    """What belongs to a weight lies where its parts lie; a count of steps belongs to none."""
    return dealt(value, parameter) if getattr(value, "shape", None) == parameter.shape else value
