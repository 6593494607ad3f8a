"""How the processes of a run share its work, in Lightning's terms."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import torch
from lightning_fabric.plugins.environments import LightningEnvironment, TorchElasticEnvironment
from pytorch_lightning.accelerators import CUDAAccelerator
from pytorch_lightning.strategies import DDPStrategy

from seedbed.errors import ConfigError
from seedbed.optim.sense import Rule, judge
from seedbed.precision import plugin
from seedbed.sharded import Sharded

STRATEGIES, BACKENDS = ("single", "ddp", "fsdp"), ("nccl", "gloo", None)


def _one_or_more(number: int) -> bool:
    return number >= 1


def _one(number: int) -> bool:
    return number == 1


def _null(value: object) -> bool:
    return value is None


def _named(value: object) -> bool:
    return value is not None


PROCESSES = (
    Rule("trainer.strategy", "single, ddp or fsdp", STRATEGIES.__contains__, "Choose one."),
    Rule("trainer.devices", "1 or more", _one_or_more, "It counts processes, one a device."),
    Rule("trainer.num_nodes", "1 or more", _one_or_more, "It counts machines."),
    Rule("trainer.backend", "nccl, gloo or null", BACKENDS.__contains__, "null chooses."),
    Rule("trainer.timeout_minutes", "above 0", lambda minutes: minutes > 0, "10 is our own choice."),
)
SINGLE_NEEDS = (
    Rule("trainer.devices", "1 with trainer=single", _one, "Add trainer=ddp."),
    Rule("trainer.num_nodes", "1 with trainer=single", _one, "Add trainer=ddp."),
    Rule("trainer.backend", "null with trainer=single", _null, "Add trainer=ddp, or leave it out."),
    Rule("trainer.rendezvous", "null with trainer=single", _null, "Add trainer=ddp, or leave it out."),
)
FSDP_NEEDS = (
    Rule(
        "trainer.precision",
        "32-true, 64-true or bf16-mixed with trainer=fsdp",
        lambda precision: precision != "16-mixed",
        "No process alone sees whether the scaled gradient overflows: set trainer.precision=bf16-mixed.",
    ),
    Rule(
        "trainer.compile",
        "false with trainer=fsdp",
        lambda compiled: not compiled,
        "The compiler does not see through the gathering of weights: set trainer.compile=false.",
    ),
)
ONE_NODE_NEEDS = (
    Rule("trainer.rendezvous", "null on one machine", _null, "Set trainer.num_nodes too, or leave it out."),
)
NODES_NEED = (
    Rule(
        "trainer.rendezvous",
        "HOST:PORT with several machines",
        _named,
        "Name this machine as the others reach it, such as trainer.rendezvous=node1:29400.",
    ),
)


class SharedDevices(CUDAAccelerator):
    """CUDA devices of which each may serve several processes; Lightning refuses more than there are."""

    @staticmethod
    def parse_devices(devices: Any) -> list[int]:
        return list(range(int(devices)))

    @staticmethod
    def get_parallel_devices(devices: Any) -> list[torch.device]:
        return [torch.device("cuda", number % torch.cuda.device_count()) for number in devices]


def check(config: Mapping[str, Any]) -> None:
    """Refuses numbers of processes and machines that do not go together.

    Args:
        config: the resolved config.

    Raises:
        ConfigError: naming the first key that is wrong.
    """
    judge(_rules(config["trainer"]), config)


def _rules(trainer: Mapping[str, Any]) -> Iterator[Rule]:
    yield from PROCESSES
    if trainer["strategy"] == "single":
        yield from SINGLE_NEEDS
    if trainer["strategy"] == "fsdp":
        yield from FSDP_NEEDS
    yield from ONE_NODE_NEEDS if trainer["num_nodes"] == 1 else NODES_NEED


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
    gpu, precision = device.type == "cuda", plugin(config["precision"], device)
    if config["strategy"] == "single":
        # The environment is named, or a SLURM shell makes Lightning wait for other ranks.
        plugins = [LightningEnvironment(), precision]
        return {"accelerator": "gpu" if gpu else "cpu", "devices": 1, "plugins": plugins}
    # The group is there already (`rank`): neither backend nor timeout is of the strategy's making.
    world_size = config["devices"] * config["num_nodes"]
    strategy = DDPStrategy() if config["strategy"] == "ddp" else Sharded(world_size)
    return {
        "accelerator": SharedDevices() if gpu else "cpu",
        "devices": config["devices"],
        "num_nodes": config["num_nodes"],
        "strategy": strategy,
        "plugins": [TorchElasticEnvironment(), precision],
    }
