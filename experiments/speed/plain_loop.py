"""Peer: the plain PyTorch loop, data in memory, no metric, no record.

python -m experiments.speed.plain_loop DATA MODEL BATCH_SIZE NUM_EPOCHS NUM_EXAMPLES MEMORY_FORMAT
"""

import statistics
import sys
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision import datasets

from experiments.speed.measuring import Cost, spent, tell

LEARNING_RATE = 0.1


def network(name: str) -> nn.Module:
    """The widths of `conf/model/NAME.yaml`."""
    if name == "softmax":
        return nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    if name == "mlp":
        hidden = [nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU()]
        return nn.Sequential(nn.Flatten(), *hidden, nn.Linear(128, 10))
    stages: list[nn.Module] = []
    for before, after in ((1, 16), (16, 32), (32, 64)):
        stages += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*stages, nn.Flatten(), nn.Linear(576, 320), nn.ReLU(), nn.Linear(320, 10))


def read(folder: str, train: bool) -> tuple[Tensor, Tensor]:
    split = datasets.MNIST(folder, train=train)
    return split.data.unsqueeze(1).float() / 255, split.targets


def epoch(
    model: nn.Module, optimizer: torch.optim.Optimizer, inputs: Tensor, labels: Tensor, size: int
) -> None:
    for batch in torch.split(torch.randperm(len(inputs)), size):
        optimizer.zero_grad()
        loss = functional.cross_entropy(model(inputs.index_select(0, batch)), labels.index_select(0, batch))
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()


@torch.no_grad()
def accuracy(model: nn.Module, inputs: Tensor, labels: Tensor) -> float:
    predicted = torch.cat([model(part).argmax(1) for part in torch.split(inputs, 1000)])
    return (predicted == labels).float().mean().item()


def main(data: str, name: str, batch_size: int, num_epochs: int, num_examples: int, layout: str) -> None:
    torch.manual_seed(0)
    images, classes = read(data, train=True)
    inputs, labels = images[:num_examples], classes[:num_examples]
    rest = (images[num_examples:], classes[num_examples:])
    held_out = rest if len(rest[0]) else read(data, train=False)
    model = network(name).to(memory_format=getattr(torch, layout))
    optimizer = torch.optim.SGD(model.parameters(), lr=LEARNING_RATE)
    clock = [spent()]
    for _ in range(num_epochs):
        epoch(model, optimizer, inputs, labels, batch_size)
        clock.append(spent())
    warm = [after - before for before, after in pairwise(clock[1:])]
    typical = Cost(*(statistics.median(one) for one in zip(*warm, strict=True)))
    tell({"epoch": typical}, accuracy=accuracy(model, *held_out))


if __name__ == "__main__":
    data, model, batch_size, num_epochs, num_examples, memory_format = sys.argv[1:]
    main(data, model, int(batch_size), int(num_epochs), int(num_examples), memory_format)
