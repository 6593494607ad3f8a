"""Peer: photographs by torchvision's ImageFolder, its transforms and a DataLoader.

python -m experiments.speed.photographs FOLDER NUM_EPOCHS
"""

import statistics
import sys
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

from experiments.speed.measuring import Cost, spent, tell

MEAN, SD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)


def main(folder: str, num_epochs: int) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    clock = [spent()]
    seen_as = transforms.Compose(
        [
            transforms.RandomCrop(32, padding=4),
            transforms.RandomHorizontalFlip(),
            transforms.ToTensor(),
            transforms.Normalize(MEAN, SD),
        ]
    )
    data = datasets.ImageFolder(folder, transform=seen_as)
    loader = DataLoader(data, batch_size=128, shuffle=True, num_workers=2)
    right = 0
    for _ in range(num_epochs):
        right = 0
        for images, labels in loader:
            optimizer.zero_grad()
            logits = model(images)
            functional.cross_entropy(logits, labels).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            right += int((logits.argmax(1) == labels).sum())
        clock.append(spent())
    costs = [after - before for before, after in pairwise(clock)]
    later = Cost(*(statistics.median(one) for one in zip(*costs[1:], strict=True)))
    tell({"first epoch": costs[0], "epoch": later}, accuracy=right / len(data))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
