"""What a training step of AlexNet costs at its published size: `python -m experiments.alexnet.step`.

Random images of 224 pixels, 1000 classes, the optimiser of the paper's section 5. Prints one row a
variant and batch size: the median and the range of the CPU seconds of NUM_STEPS steps after one to warm
up, the objective of the first step and of the last, and the most memory that the process has held.
"""

import math
import resource
import statistics
import time

import torch

from seedbed.composing import composed
from seedbed.graph.scene import Scene, random_images

VARIANTS, BATCH_SIZES, NUM_STEPS = ("two_groups", "torchvision"), (1, 16), 5


def main() -> None:
    torch.set_num_threads(1)
    print(f"uniform guessing: {math.log(1000):.4f} nats")
    for variant in VARIANTS:
        for batch_size in BATCH_SIZES:
            keys = ["model=alexnet", f"model.variant={variant}", f"data.batch_size={batch_size}"]
            scene = random_images(composed(keys, "step"), (3, 224, 224), 1000)
            (_, *seconds), objectives = measured(scene)
            middle, least, most = statistics.median(seconds), min(seconds), max(seconds)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
            print(
                f"| {variant} | {batch_size} | {middle:.2f} | {least:.2f} to {most:.2f} | {NUM_STEPS}"
                f" | {objectives[0]:.4f} | {objectives[-1]:.4f} | {peak:.1f} |"
            )


def measured(scene: Scene) -> tuple[list[float], list[float]]:
    """CPU seconds and objective of each step, the first of them to warm up."""
    network = scene.network
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9, weight_decay=0.0005)
    seconds, objectives = [], []
    for _ in range(1 + NUM_STEPS):
        start = time.process_time()
        loss = scene.objective.share(network, network(scene.batch.inputs, scene.keys), scene.batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        objectives.append(loss.item())
        seconds.append(time.process_time() - start)
    return seconds, objectives


if __name__ == "__main__":
    main()
