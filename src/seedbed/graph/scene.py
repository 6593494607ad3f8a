"""What is drawn: a network with its first weights, what it would minimise, and one batch."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch

from seedbed.assembly import assemble, network_of
from seedbed.errors import ConfigError
from seedbed.job import Job
from seedbed.model.dropout import Dropout
from seedbed.model.network import Network
from seedbed.objective import Objective
from seedbed.precision import dtype_of
from seedbed.shapes import Batch, Facts, Keys
from seedbed.streams import Streams, example_keys, spawn

# What moves no number of a graph, and would only cost time.
PLAIN = {"accelerator": "cpu", "compile": False}


class Scene(NamedTuple):
    """All that a graph is made from.

    Args:
        name: of the model and of what it looks at.
        network: in training, with its first weights.
        objective: what is minimised beside the NLL.
        batch: of training examples.
        keys: of the dropout masks; None where no unit is silenced.
    """

    name: str
    network: Network
    objective: Objective
    batch: Batch
    keys: Keys | None


def first_batch(job: Job) -> Scene:
    """The first step of a run: its first weights, its first batch, its first dropout masks.

    Args:
        job: whose seed, data, model, objective and precision count.

    Raises:
        SeedbedError: as for a run, for a configuration or data that cannot work.
    """
    config = job.config | {"trainer": job.config["trainer"] | PLAIN, "evaluate_test": False}
    data, classifier, _ = assemble(config)
    batch = next(iter(data.train_dataloader()))
    keys = _keys(classifier.network, classifier.dropout_stream, batch)
    name = f"{job.choices['model']} on {job.choices['data']}"
    return Scene(name, classifier.network.train(), classifier.objective, batch, keys)


def random_images(job: Job, shape: Sequence[int], num_classes: int) -> Scene:
    """A model on images of a size for which there is no data: normal numbers, uniform labels.

    Args:
        job: whose seed, model, objective and precision count, and `data.batch_size`.
        shape: channels, height, width.
        num_classes: 2 or more.

    Raises:
        ConfigError: for a shape, a number of classes or a batch size that cannot be, or a map of features.
    """
    _check_shape(shape, num_classes)
    _check_features(job.config["features"])
    config, streams = job.config, spawn(job.config["seed"], job.config["streams"])
    dtype = dtype_of(config["trainer"]["precision"])
    batch = _random_batch(_batch_size(config["data"]), shape, num_classes, streams)
    batch = batch._replace(inputs=batch.inputs.to(dtype))
    facts = Facts(tuple(shape), num_classes, tuple(map(str, range(num_classes))))
    network = network_of(config["model"], facts, streams).to(dtype)
    network.look([batch.inputs])
    keys = _keys(network, streams.dropout, batch)
    size = " × ".join(map(str, shape))
    name = f"{job.choices['model']} on random images of {size}, {num_classes} classes"
    return Scene(name, network.train(), Objective(**config["objective"]), batch, keys)


def _check_shape(shape: Sequence[int], num_classes: int) -> None:
    if len(shape) != 3 or min(shape) < 1:
        given = ",".join(map(str, shape))
        raise ConfigError(
            "--shape",
            expected="CHANNELS,HEIGHT,WIDTH, each 1 or more",
            got=given,
            do="Such as --shape 3,224,224.",
        )
    if num_classes < 2:
        raise ConfigError(
            "--classes", expected="2 or more", got=str(num_classes), do="Such as --classes 1000."
        )


def _check_features(features: Any) -> None:
    if features:
        raise ConfigError(
            "features",
            expected="null beside random images",
            got="a map of inputs",
            do="Leave out features=..., or name the data with data=NAME.",
        )


def _batch_size(data: Mapping[str, Any]) -> int:
    size = data["batch_size"]
    if size is None or size < 1:
        raise ConfigError(
            "data.batch_size",
            expected="the number of random images",
            got="null, which is a whole split, and there is none" if size is None else str(size),
            do="Add data.batch_size=2.",
        )
    return int(size)


def _random_batch(size: int, shape: Sequence[int], num_classes: int, streams: Streams) -> Batch:
    generator = torch.Generator().manual_seed(streams.order)
    inputs = torch.randn(size, *shape, generator=generator)
    labels = torch.randint(num_classes, (size,), generator=generator)
    return Batch(inputs, labels, torch.arange(size), size)


def _keys(network: Network, stream: int, batch: Batch) -> Keys | None:
    drops = any(isinstance(part, Dropout) and part.probability for part in network.modules())
    return example_keys(stream, 0, batch.indices) if drops else None
