"""How the processes of a run share its work, in Lightning's terms."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import torch
from lightning_fabric.plugins.environments import LightningEnvironment, TorchElasticEnvironment
from pytorch_lightning.accelerators import CUDAAccelerator
from pytorch_lightning.strategies import DDPStrategy, ModelParallelStrategy

from seedbed.errors import ConfigError


class SharedDevices(CUDAAccelerator):
    """CUDA devices of which each may serve several processes; Lightning refuses more than there are."""

    @staticmethod
    def parse_devices(devices: Any) -> list[int]:
        return list(range(int(devices)))

    @staticmethod
    def get_parallel_devices(devices: Any) -> list[torch.device]:
        return [torch.device("cuda", number % torch.cuda.device_count()) for number in devices]


def backend(config: Mapping[str, Any], device: torch.device) -> str:
    """The library that carries gradients: nccl between GPUs, gloo else.

    Args:
        config: the trainer's keys.
        device: of this process.

    Raises:
        ConfigError: where nccl cannot do it.
    """
    name = config["backend"] or ("nccl" if device.type == "cuda" else "gloo")
    if name == "nccl" and device.type != "cuda":
        raise ConfigError(
            "trainer.backend", expected="gloo on CPUs", got="nccl", do="Set trainer.backend=null."
        )
    if name == "nccl" and config["devices"] > torch.cuda.device_count():
        raise ConfigError(
            "trainer.devices",
            expected=f"at most the {torch.cuda.device_count()} GPUs of this machine",
            got=str(config["devices"]),
            do="Lower it, or set trainer.backend=gloo to let several processes share a GPU.",
        )
    return str(name)


def timeout(config: Mapping[str, Any]) -> timedelta:
    """How long a process waits for the others."""
    return timedelta(minutes=config["timeout_minutes"])


def processes(config: Mapping[str, Any], device: torch.device) -> dict[str, Any]:
    """What Lightning's Trainer is told of devices and of the processes that share them.

    Args:
        config: the trainer's keys.
        device: of this process.
    """
    gpu = device.type == "cuda"
    if config["strategy"] == "single":
        # The environment is named, or a SLURM shell makes Lightning wait for other ranks.
        return {"accelerator": "gpu" if gpu else "cpu", "devices": 1, "plugins": [LightningEnvironment()]}
    # The group is there already (`rank`): neither backend nor timeout is of the strategy's making.
    strategy = (
        DDPStrategy()
        if config["strategy"] == "ddp"
        else ModelParallelStrategy(
            data_parallel_size=config["devices"] * config["num_nodes"],
            tensor_parallel_size=1,
            save_distributed_checkpoint=False,
        )
    )
    return {
        "accelerator": SharedDevices() if gpu else "cpu",
        "devices": config["devices"],
        "num_nodes": config["num_nodes"],
        "strategy": strategy,
        "plugins": [TorchElasticEnvironment()],
    }
