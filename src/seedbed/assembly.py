"""Builds the parts of one run from its config: data, network, classifier. Nothing is trained here.

The only place that takes a config apart; a room's files can be read by someone who has never heard
of Hydra.
"""

import os
import shutil
from collections.abc import Mapping
from typing import Any, NamedTuple

import hydra.utils
import torch

from seedbed.classifier import Classifier
from seedbed.data.module import DataModule
from seedbed.errors import ConfigError
from seedbed.model.network import Network
from seedbed.model.sharding import is_dealt_out, whole
from seedbed.objective import Objective
from seedbed.precision import dtype_of
from seedbed.seat import Seat
from seedbed.shapes import Facts
from seedbed.streams import Streams, spawn


class Assembly(NamedTuple):
    """The parts of one run, joined."""

    data: DataModule
    classifier: Classifier
    device: torch.device


def assemble(config: Mapping[str, Any], seat: Seat = Seat()) -> Assembly:  # noqa: B008 - immutable
    """Builds data, network and classifier; nothing is trained yet.

    Args:
        config: the resolved config.
        seat: this process among those that share the training.
    """
    if config["trainer"]["num_threads"]:
        torch.set_num_threads(config["trainer"]["num_threads"])
    if config["trainer"]["deterministic"]:
        # Without it cuBLAS may sum in another order each time; it looks only once, when CUDA starts.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    streams = spawn(config["seed"], config["streams"])
    device = device_of(config["trainer"]["accelerator"], seat.local_rank)
    dtype = dtype_of(config["trainer"]["precision"])
    data = data_of(config)
    features = _built(config["features"]) if config["features"] else None
    shard = {"rank": seat.rank, "world_size": seat.world_size}
    data.setup(streams, dtype=dtype, device=device, features=features, **shard)
    _check_test(config["evaluate_test"], data)
    network = network_of(config["model"], data.facts, streams).to(dtype)
    network.look(batch.inputs for batch in data.train_inputs())
    if config["trainer"]["channels_last"]:  # on a CPU a step of the cnn is then 1.6 times as fast
        network.to(memory_format=torch.channels_last)
    if config["trainer"]["compile"]:
        _check_compiler()
        network.compile()
    classifier = Classifier(
        network,
        facts=data.facts,
        objective=Objective(**config["objective"]),
        make_optimizer=hydra.utils.instantiate(config["optimizer"], _convert_="all"),
        make_schedule=hydra.utils.instantiate(config["schedule"]),
        epoch_steps=len(data.train_dataloader()),
        max_epochs=config["trainer"]["max_epochs"],
        dropout_stream=streams.dropout,
        gradient_clip_norm=config["trainer"]["gradient_clip_norm"],
        num_micro_batches=config["trainer"]["num_micro_batches"],
        seat=seat,
    )
    _check_monitor(config["trainer"]["monitor"], classifier.val_metrics.names)
    return Assembly(data, classifier, device)


def data_of(config: Mapping[str, Any]) -> DataModule:
    """The data module of a resolved config, before it has read anything."""
    data: DataModule = _built(config["data"])
    return data


def gather(config: Mapping[str, Any], assembly: Assembly) -> None:
    """Gives each process a whole network where it has a part of one; all of them must ask for it.

    Args:
        config: the resolved config.
        assembly: whose classifier is done with training and evaluation.
    """
    classifier = assembly.classifier
    if is_dealt_out(classifier.network):
        streams = spawn(config["seed"], config["streams"])
        own = network_of(config["model"], assembly.data.facts, streams)
        own.load_state_dict(whole(classifier.network), assign=True)
        classifier.network = own


def network_of(config: Mapping[str, Any], facts: Facts, streams: Streams) -> Network:
    """The network with its first weights, which depend on the init stream alone.

    Args:
        config: of the model.
        facts: what the data knows.
        streams: of the run.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(streams.init)
        network: Network = _built(config, input_shape=facts.input_shape, num_classes=facts.num_classes)
    return network


def _built(config: Mapping[str, Any], **given: Any) -> Any:
    """The object of a `_target_`; called by us, because Hydra wraps errors and turns tuples into lists."""
    return hydra.utils.instantiate(config, _partial_=True, _convert_="all")(**given)


def device_of(accelerator: str, number: int) -> torch.device:
    """The device of a process.

    Args:
        accelerator: cpu, gpu or auto.
        number: of the process on its machine; those beyond the number of GPUs share them.

    Raises:
        ConfigError: for another word, or a GPU where there is none.
    """
    if accelerator not in ("auto", "cpu", "gpu"):
        raise ConfigError(
            "trainer.accelerator",
            expected="cpu, gpu or auto",
            got=repr(accelerator),
            do="Choose one of them.",
        )
    if accelerator == "gpu" and not torch.cuda.is_available():
        raise ConfigError(
            "trainer.accelerator",
            expected="a CUDA device",
            got="none on this machine",
            do="Set trainer.accelerator=cpu.",
        )
    gpu = accelerator != "cpu" and torch.cuda.is_available()
    return torch.device("cuda", number % torch.cuda.device_count()) if gpu else torch.device("cpu")


def _check_compiler() -> None:
    name = os.environ.get("CXX", "g++")
    if shutil.which(name) is None:
        raise ConfigError(
            "trainer.compile",
            expected="a C++ compiler, which torch.compile needs on every device",
            got=f"no {name} on the path",
            do="Install one (or name it in the variable CXX), or set trainer.compile=false.",
        )


def _check_test(wanted: bool, data: DataModule) -> None:
    if wanted and data.test_dataloader() is None:
        raise ConfigError(
            "evaluate_test",
            expected="data with a test split",
            got="a test_fraction of 0",
            do="Set data.test_fraction above 0, or evaluate_test=false.",
        )


def _check_monitor(monitor: str, names: tuple[str, ...]) -> None:
    allowed = [f"val/{name}" for name in names]
    if monitor not in allowed:
        raise ConfigError(
            "trainer.monitor", expected="one of " + ", ".join(allowed), got=repr(monitor), do="Choose one."
        )
